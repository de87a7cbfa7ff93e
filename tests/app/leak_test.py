"""What many visitors leave in the server: nothing."""

import pytest
from absl.testing import absltest
from testing.browser import BrowserTest, wait_until
from testing.visitor import Visitor

NUM_RUNS, SETTLED = 20, 5
STOPPED, CLOSED = (2, 5, 8, 13, 20), (4, 11, 17)
# Bytes that the process may grow by from run 5 to run 20.
MAX_GROWTH = 100 * 2**20


@pytest.mark.slow
class LeakTest(BrowserTest):
    def test_twenty_runs(self):
        before = self.server.files()
        usage, process = [], self.server.usage()
        for number in range(1, NUM_RUNS + 1):
            self.run_of(number)
            # A visit's folder goes after its run has ended.
            wait_until(lambda: not self.server.visits(), "the visit to end")
            self.server.wait_for_deletion(before)
            usage.append((process.memory_info().rss, process.num_threads()))
        memory, threads = zip(*usage, strict=True)
        self.assertLess(max(memory[SETTLED:]) - memory[SETTLED - 1], MAX_GROWTH, memory)
        self.assertLessEqual(threads[-1], max(threads[:SETTLED]))

    def run_of(self, number):
        """A visit with a run, which ends, is stopped, or ends with the visit."""
        page = self.visit()
        visitor = Visitor(page)
        visitor.give()
        is_long = number in STOPPED or number in CLOSED
        visitor.set(size=128, steps=1000 if is_long else 3)
        visitor.paint()
        if is_long:
            visitor.see(2)
        if number in STOPPED:
            visitor.click("stop")
            visitor.expect("stopped after")
        elif not is_long:
            visitor.expect("painted in")
        page.close()


if __name__ == "__main__":
    absltest.main()
