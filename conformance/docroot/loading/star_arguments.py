def main(*arguments, **named):
    return repr([len(arguments), named])
