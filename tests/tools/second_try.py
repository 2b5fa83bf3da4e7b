# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""A test that fails is tried once more, and that is said: where a whole suite runs for long, on a machine that is busy with
other things or is emulated, a timeout or a sampling error now and then is the machine's. A defect fails twice."""

from _pytest.runner import runtestprotocol

TRIES = 5       # of a whole run: where more fail, it is not the machine


class SecondTry:
    """A plugin of pytest, for whole suites only (BORESCOPE_SECOND_TRY): by hand, a test that fails is to be seen."""

    def __init__(self):
        self.tried = 0
        self.saved = []     # (test, why it failed at first)

    def pytest_runtest_protocol(self, item, nextitem):
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
        failed = [report for report in reports if report.failed]
        if failed and self.tried < TRIES:
            self.tried += 1
            item._initrequest()     # new fixtures
            reports = runtestprotocol(item, nextitem=nextitem, log=False)
            if not any(report.failed for report in reports):
                why = failed[0].longreprtext
                self.saved.append((item.nodeid, why))
                reports[-1].user_properties.append(("second try", why))
        for report in reports:
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def pytest_terminal_summary(self, terminalreporter):
        for test, why in self.saved:
            terminalreporter.write_line(f"AGAIN {test}: passed at the second try; the first:")
            terminalreporter.write_line(why)
