"""Late reads: the read-back of a deployment may come from a replica or a cache, and show a write after a moment."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from contract_tests.cases.model import Step
from contract_tests.execution.sending.context import CaseContext
from contract_tests.execution.sending.sender import Sender
from contract_tests.results.judge import Judgement
from contract_tests.targets.base import NoResponse, Response

#: Seconds before each further read.
_WAITS = (0.05, 0.2, 0.5, 1.0)


@dataclass(slots=True)
class LateReads:
    """Reads again what is wrong, until it is right or a wrong value has stayed; safe to use from several threads.

    ``count`` is the number of late values. Nothing is read again once a value stayed wrong and none was late.
    """

    waits: Sequence[float] = _WAITS
    count: int = 0

    def judge(
        self,
        sender: Sender,
        context: CaseContext,
        step: Step,
        judge_response: Callable[[Response | NoResponse], Judgement],
    ) -> Judgement:
        """Send a read-back and return the judgement on the last response, the only one that the context keeps."""
        judgement = judge_response(sender.send_step(context, step))
        if judgement.outcome != "violated":
            return judgement
        for seconds in self.waits:
            sender.target.clock.wait(seconds)
            judgement = judge_response(sender.send_step(context, step))
            del context.exchanges[-2]
            if judgement.outcome != "violated":
                self.count += 1
                return judgement
        if not self.count:
            self.waits = ()
        return judgement

    def describe(self) -> str:
        """Return in words how many values were late."""
        times = "once" if self.count == 1 else f"{self.count:,} times"
        return f"the read-back showed what was stored only when it was read again, {times}"
