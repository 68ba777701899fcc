"""What /proc says about a process and its descendants: CPU time, memory, threads, descriptors."""
import os

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def tree(pid):
    """The process ids of `pid` and all its living descendants."""
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            fields = stat_fields(int(entry))
            if fields:
                children.setdefault(int(fields[1]), []).append(int(entry))
    found, pending = [], [pid]
    while pending:
        current = pending.pop()
        if os.path.exists(f"/proc/{current}"):
            found.append(current)
        pending += children.get(current, [])
    return found


def cpu_seconds(pid):
    """User and system time the process tree has used, with that of children already reaped."""
    ticks = 0
    for member in tree(pid):
        fields = stat_fields(member)
        if fields:
            ticks += sum(int(field) for field in fields[11:15])
    return ticks / TICKS_PER_SECOND


def peak_rss_kib(pid):
    """Sum over the process tree of each one's highest resident memory since it was last reset."""
    return sum(status_number(member, "VmHWM") for member in tree(pid))


def reset_peak_rss(pid):
    """Lets VmHWM begin anew at the present size; without the right to do so it stays as it is."""
    for member in tree(pid):
        try:
            with open(f"/proc/{member}/clear_refs", "w") as file:
                file.write("5")
        except OSError:
            pass


def rss_kib(pid):
    """Sum over the process tree of the resident memory; shared pages count once for each process."""
    return sum(status_number(member, "VmRSS") for member in tree(pid))


def pss_kib(pid):
    """Sum over the process tree of the resident memory, each shared page divided by its sharers."""
    total = 0
    for member in tree(pid):
        try:
            with open(f"/proc/{member}/smaps_rollup") as file:
                total += next((int(line.split()[1]) for line in file if line.startswith("Pss:")), 0)
        except OSError:
            pass
    return total


def thread_count(pid):
    return sum(status_number(member, "Threads") for member in tree(pid))


def descriptor_count(pid):
    count = 0
    for member in tree(pid):
        try:
            count += len(os.listdir(f"/proc/{member}/fd"))
        except OSError:
            pass
    return count


def stat_fields(pid):
    """The fields of /proc/PID/stat from the state on (field 3 of proc(5)), or None if it is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The command's name, in parentheses, may hold spaces and parentheses of its own.
            return file.read().rpartition(b")")[2].split()
    except OSError:
        return None


def status_number(pid, key):
    try:
        with open(f"/proc/{pid}/status") as file:
            for line in file:
                if line.startswith(key + ":"):
                    return int(line.split()[1])
    except OSError:
        pass
    return 0
