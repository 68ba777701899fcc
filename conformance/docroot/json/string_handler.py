from wptserve.handlers import StringHandler

main = StringHandler("a fixed string", "text/x-fixed", Cache_Control="no-store")
