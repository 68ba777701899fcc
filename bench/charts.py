"""Which charts the page has, and what they show of a results file."""
from plot import COLOURS, Panel, Series, bars, lines
from servers import SERVERS

COLOUR = dict(zip(SERVERS, COLOURS))
# The bars are those of this many connections, or of the case's most where it has not that many.
SHOWN_CONNECTIONS = 16
GROUPS = {
    "handlers": ("Python handlers", ("hello", "get_first", "medium", "stash", "form", "multipart")),
    "files": ("Files", ("static_1k", "static_1m", "template", "pipes")),
    "encrypted": ("TLS, HTTP/2 and WebSocket", ("https_hello", "https_static_1k", "https_static_1m",
                                                "h2_hello", "h2_streams", "websocket",
                                                "websocket_many")),
}


def charts(results, summary):
    """{file name: SVG text}; a chart with nothing to show is absent."""
    made = {}
    for name, (title, cases) in GROUPS.items():
        for quantity, what, unit in (("requests_per_second", "rate", "requests per second"),
                                     ("cpu_us_per_request", "cpu", "µs of CPU per request")):
            panels = panels_of(results, summary, cases, quantity)
            if panels:
                made[f"{name}-{what}.svg"] = bars(f"{title}: {unit}", panels, unit)
    series = [Series(results["servers"][name]["short_title"], points, COLOUR[name])
              for name in summary.servers_of("hello")
              if len(points := by_connections(summary, "hello", name)) > 1]
    if series:
        made["connections.svg"] = lines("hello: rate by connections", series, "connections",
                                        "requests per second", log_x=True, log_y=True)
    if long_life := results.get("long_life"):
        made["long-life.svg"] = memory_over_time(long_life["samples"])
    return made


def panels_of(results, summary, cases, quantity):
    panels = []
    for case in cases:
        found = summary.connections_of(case)
        if not found:
            continue
        connections = SHOWN_CONNECTIONS if SHOWN_CONNECTIONS in found else max(found)
        shown = [(results["servers"][name]["short_title"], value, COLOUR[name])
                 for name in summary.servers_of(case)
                 if (value := summary.median(case, connections, name, quantity)) is not None]
        panels.append(Panel(f"{case}, {connections} connection{'s' * (connections > 1)}", shown))
    return panels


def by_connections(summary, case, name):
    return [(connections, rate) for connections in sorted(summary.connections_of(case))
            if (rate := summary.rate(case, connections, name))]


def memory_over_time(samples):
    def in_mb(quantity, unit):
        return [(sampled["minute"], sampled[quantity] * unit / 1e6) for sampled in samples]

    series = [Series("resident (RSS)", in_mb("rss_kib", 1024), COLOURS[0]),
              Series("proportional (PSS)", in_mb("pss_kib", 1024), COLOURS[1])]
    if all("malloc_bytes" in sampled for sampled in samples):
        series.append(Series("in use by malloc", in_mb("malloc_bytes", 1), COLOURS[2]))
    return lines("A long mixed load: memory at the end of each minute", series, "minutes", "MB")
