from wptserve.handlers import ErrorHandler

main = ErrorHandler(410)
