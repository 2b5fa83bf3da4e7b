# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The figures as Markdown."""


def number(value, unit=1, digits=0):
    return "" if value is None else f"{value / unit:,.{digits}f}"


def of(results, *keys):
    for key in keys:
        if not isinstance(results, dict) or key not in results:
            return None
        results = results[key]
    return results


def ranged(results, key, unit=1, digits=0):
    found = of(results, key)
    if not found:
        return ""
    return (f"{number(found['median'], unit, digits)} "
            f"({number(found['q1'], unit, digits)}..{number(found['q3'], unit, digits)})")


def lost(results, threads):
    found = of(results, f"full_speed_{threads}")
    if not found:
        return ""
    share = 100 * found["lost"] / found["operations"]
    return f"{found['lost']:,} of {found['operations']:,}" + (f" ({share:.1f} %)" if found["lost"] else "")


COST = {
    "added ns by the clock": lambda r: ranged(r, "wall_ns"),
    "added CPU ns of the caller": lambda r: ranged(r, "cpu_ns"),
    "× empty": lambda r: number(of(r, "times_floor"), digits=2),
    "programs' own ns": lambda r: number(of(r, "program_ns")),
    "runs": lambda r: number(of(r, "program_runs"), digits=1),
    "ns a run": lambda r: number(a_run(r)),
    "getppid: added ns": lambda r: ranged(r, "getppid_ns"),
}
REST = {
    "ready ms": lambda r: ranged(r, "ready_s", 1e-3) or ranged(r, "asleep_s", 1e-3),
    "gone ms": lambda r: ranged(r, "stop_s", 1e-3),
    "gone ms after a burst": lambda r: ranged(r, "stop_after_burst_s", 1e-3),
    "lost, 1 thread": lambda r: lost(r, 1),
    "lost, 2 threads": lambda r: lost(r, 2),
    "CPU s / 1e6": lambda r: number(of(r, "at_work", "cpu_s_per_million"), digits=2),
    "VmRSS MB": lambda r: number(of(r, "at_work", "memory", "VmRSS"), 1 << 20, 1),
    "less rings MB": lambda r: number(of(r, "at_work", "memory", "without_rings"), 1 << 20, 1),
    "RssAnon / RssFile less rings MB": lambda r: split(of(r, "at_work", "memory")),
    "VmHWM at start MB": lambda r: number(of(r, "at_work", "memory_before", "VmHWM"), 1 << 20, 1),
    "maps kB": lambda r: number(of(r, "at_work", "map_bytes"), 1 << 10),
    "on disk kB": lambda r: number(of(r, "disk_bytes"), 1 << 10),
}


def a_run(results):
    runs = of(results, "program_runs")
    return of(results, "program_ns") / runs if runs else None


def split(memory):
    if not memory:
        return ""
    return f"{memory['RssAnon'] / (1 << 20):.1f} / {(memory['RssFile'] - memory['rings']) / (1 << 20):.1f}"


def table(columns, subjects):
    rows = [(subject.name, [show(subject.results) for show in columns.values()])
            for subject in subjects if not subject.refused]
    used = [i for i in range(len(columns)) if any(cells[i] for _, cells in rows)]
    if not used:
        return []
    names = list(columns)
    lines = ["| | " + " | ".join(names[i] for i in used) + " |", "|---|" + "---:|" * len(used)]
    lines += [f"| {name} | " + " | ".join(cells[i] for i in used) + " |" for name, cells in rows]
    return lines + [""]


def markdown(tool, operation, base, subjects):
    lines = [f"### {tool}: {operation.name}", "",
             f"Without a tool: {ranged(base, 'wall_ns')} ns by the clock, {ranged(base, 'cpu_ns')} ns of the caller's "
             "CPU time. Medians, and the quartiles of the rounds in parentheses.", ""]
    lines += table(COST, subjects)
    # a filter changes nothing of the rest, unless there is none without
    whole = [subject for subject in subjects if not subject.filtered]
    lines += table(REST, whole if any(subject.kind == "tool" for subject in whole) else subjects)
    lines += [f"- {subject.name} does not run here: {subject.refused}" for subject in subjects if subject.refused]
    return "\n".join(lines) + "\n"
