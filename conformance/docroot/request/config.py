def main(request, response):
    config = request.server.config
    return repr([config["browser_host"], sorted(config["domains"][""]), config["ports"]["http"],
                 "domains" in config, config.logging["suppress_handler_traceback"]])
