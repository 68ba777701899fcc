"""The names handlers may import."""

import importlib

NAMES = {
    "request": ["Request", "RequestHeaders", "MultiDict", "Cookies", "CookieValue", "InputFile",
                "Authentication", "Server"],
    "response": ["Response", "ResponseHeaders", "ResponseWriter", "MultipartContent",
                 "MultipartPart"],
    "handlers": ["handler", "json_handler", "HTTPException", "filesystem_path", "StringHandler",
                 "StaticHandler", "ErrorHandler", "FunctionHandler", "PythonScriptHandler",
                 "FileHandler", "AsIsHandler", "DirectoryHandler", "load_headers",
                 "wrap_pipeline", "BasicAuthHandler", "JsonHandler", "file_handler",
                 "python_script_handler", "as_is_handler", "guess_content_type", "parse_qs"],
    "utils": ["isomorphic_encode", "isomorphic_decode", "invert_dict", "HTTPException",
              "get_port", "http2_compatible", "is_bad_port", "get_error_cause"],
    "stash": ["Stash", "StashServer", "StashError", "load_env_config", "store_env_config"],
    "constants": ["response_codes", "content_types", "h2_headers"],
    "router": ["Router", "any_method", "compile_path_match"],
    "routes": ["routes"],
    "server": ["WebTestHttpd"],
    "config": ["ConfigBuilder", "Config"],
    "logger": ["get_logger"],
    "pipes": ["Pipeline", "sub", "template"],
    "ranges": ["RangeParser"],
}


def main(request, response):
    module = request.url_parts.query
    found = importlib.import_module("wptserve." + module)
    return repr([name for name in NAMES[module] if not hasattr(found, name)])
