NAME = "a regular package"
