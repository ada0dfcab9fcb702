# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (c) 2026 gh200.inference contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The plan in words: one sentence for a refusal, and lines that read like advice."""

from __future__ import annotations

import dataclasses
import math

from . import choice, shapes, weights
from .memory import ERROR, GIB, Setup, Shape
from .model import Model


def gib(count: float) -> str:
    """Bytes as people read them."""
    return f"{count / GIB:.1f} GiB"


def tokens(count: int) -> str:
    """Tokens with commas."""
    return f"{count:,}"


def memory_problem(shape: Shape, asked: Setup) -> str:
    """What is against the shape as to memory; empty where nothing is."""
    if not shape.fits:
        worst = max(range(shape.pipeline), key=lambda number: shape.stages[number].lacks)
        stage = shape.stages[worst]
        what = "for its weights and activations" if stage.kv < 0 else f"for requests of {tokens(asked.context)} tokens"
        return f"stage {worst} lacks {gib(stage.lacks)} per GPU {what}"
    if shape.tight:
        return f"fits with {gib(-shape.lacks)} to spare, and this estimate may be wrong by {gib(ERROR)}"
    return ""


def others(shape: Shape, best: Shape, asked: Setup) -> str:
    """Why this shape is not the one that was chosen."""
    if problem := memory_problem(shape, asked):
        return problem
    if shape.tensor > choice.ETHERNET_WIDTH:
        return (
            f"fits, but two all-reduces per layer over Ethernet among {shape.tensor} ranks; "
            f"nothing above TP{choice.ETHERNET_WIDTH} is measured"
        )
    if choice.depth(shape) > choice.depth(best):
        at_work = f"only {_gpus(shape.tensor)} at work on each"
        return f"fits, but each token passes {shape.pipeline} stages in turn, with {at_work}"
    if shape.gpus < best.gpus:
        return f"fits, but uses {best.gpus - shape.gpus} GPUs fewer"
    if shape.gpus > best.gpus:
        return "fits, but is less well shaped"
    return (
        "fits, but reads its weights with fewer GPUs at a time"
        if shape.tensor < best.tensor
        else "fits, but has the more expensive all-reduces"
    )


@dataclasses.dataclass(frozen=True)
class Advice:
    """Everything that there is to say."""

    model: Model
    asked: Setup
    gpus: int
    price: float
    found: list[Shape]
    best: Shape | None
    decided: bool = False  # whether somebody has set part of the shape

    def verdict(self) -> str:
        """One sentence or two: the choice, or what is missing and what would fit."""
        if self.best:
            idle = f" ({self.gpus - self.best.gpus} idle)" if self.best.gpus < self.gpus else ""
            tight = f"; it {memory_problem(self.best, self.asked)}" if self.best.tight else ""
            return (
                f"{self.best.name} on {self.best.gpus} of {_gpus(self.gpus)}{idle}, "
                f"layers {','.join(map(str, self.best.partition))}, "
                f"KV cache for {tokens(self.best.kv_tokens_per_request)} tokens of one request{tight}."
            )
        near = choice.nearest(self.found)
        return (
            f"The model ({gib(weights.loaded(self.model))} of weights) does not fit on {_gpus(self.gpus)} "
            f"of {gib(self.asked.memory)} at utilisation {self.asked.utilization:g}: "
            f"with {near.name}, which comes nearest, {memory_problem(near, self.asked)}. {self.instead()}"
        )

    def instead(self) -> str:
        """What would fit."""
        ways = []
        most = max(choice.longest_context(self.model, self.asked, shape) for shape in self.found)
        if most >= choice.SHORT_CONTEXT:
            ways.append(f"requests of at most {tokens(most)} tokens")
        high = choice.at_high_utilization(self.model, self.asked, self.gpus)
        if high and any((high.tensor, high.pipeline) == (shape.tensor, shape.pipeline) for shape in self.found):
            more = dataclasses.replace(self.asked, utilization=choice.HIGH_UTILIZATION)
            most = choice.longest_context(self.model, more, high)
            margin = "barely, " if high.tight else ""
            ways.append(
                f"utilisation {choice.HIGH_UTILIZATION} ({margin}as {high.name}, "
                f"for requests of at most {tokens(most)} tokens)"
            )
        ways += [f"{more.gpus} GPUs (as {more.name})" for more in choice.fewest(self.model, self.asked, self.gpus)]
        return f"What fits: {'; or '.join(ways)}." if ways else "Nothing near would."

    def lines(self) -> list[str]:
        """The advice, a line each."""
        if not self.best:
            return [self.verdict(), *self.table()]
        best = self.best
        told = [*self.why(best), *self.memory(best), *self.requests(best), *self.money(best)]
        return [f"Take {self.verdict()}", *told, *self.table()]

    def why(self, best: Shape) -> list[str]:
        """Reasons for the choice."""
        if self.decided:
            return ["Why: the shape was set, and not left to this plan.", *self.warning(best)]
        reasons = [f"tensor parallel at {choice.ETHERNET_WIDTH} or below, since each layer sends twice over Ethernet"]
        if best.tensor > choice.ETHERNET_WIDTH:
            reasons = [f"nothing at TP{choice.ETHERNET_WIDTH} or below fits, and wider is not measured over Ethernet"]
        reasons.append("as many GPUs as that can use well" if best.gpus < self.gpus else "all GPUs at work")
        reasons.append("few stages for a token to pass")
        lines = [f"Why: {'; '.join(reasons)}."]
        if (best.tensor, best.pipeline) == (4, 4):
            lines.append("This is the shape that is measured for DeepSeek R1 on 16 GH200s.")
        return lines + self.warning(best)

    @staticmethod
    def warning(best: Shape) -> list[str]:
        """What to do if the estimate was too good."""
        if not best.tight:
            return []
        return [
            "Beware, it is tight: if the engine runs out of memory at its start, shorten the context or take more GPUs."
        ]

    def memory(self, best: Shape) -> list[str]:
        """What each stage holds."""
        asked = self.asked
        lines = [
            f"Of each GPU's {gib(asked.memory)} the engine may use {gib(asked.budget)} "
            f"(utilisation {asked.utilization:g}); for activations it keeps "
            f"{gib(asked.budget - best.stages[0].weights - best.stages[0].kv)}."
        ]
        for number, stage in enumerate(best.stages):
            first, last = number * best.tensor, (number + 1) * best.tensor - 1
            who = f"rank {first}" if first == last else f"ranks {first} to {last}"
            lines.append(
                f"  stage {number}: layers {stage.first} to {stage.end - 1}, {who}: "
                f"{gib(stage.weights)} weights, {gib(stage.kv)} KV cache"
            )
        return lines

    def requests(self, best: Shape) -> list[str]:
        """What requests get."""
        asked = self.asked
        at_once = min(asked.sequences, max(1, best.kv_tokens_per_request // asked.context)) * best.pipeline
        text = f"The KV cache holds {tokens(best.kv_tokens)} tokens"
        if best.pipeline > 1:
            text += (
                f"; {best.pipeline} schedulers share it, so one request can have {tokens(best.kv_tokens_per_request)}"
            )
        text += f", and {tokens(asked.context)} are asked for. {at_once} such requests run at once"
        text += f" (limit {asked.sequences} per scheduler). With what their prefill takes, requests may be as long as "
        return [
            text + f"{tokens(choice.longest_context(self.model, asked, best))} tokens, by estimate; go there in steps."
        ]

    def money(self, best: Shape) -> list[str]:
        """What it costs, and what of that is for nothing."""
        idle = self.gpus - best.gpus
        cost = f"It costs ${self.price * self.gpus:.2f}/h." if self.price else "The price of a GPU is not known."
        if idle:
            wasted = f" and ${self.price * idle:.2f}/h" if self.price else ""
            cost += f" {_gpus(idle)}{wasted} would be for nothing: take {best.gpus} instead of {self.gpus}."
        return [cost]

    def table(self) -> list[str]:
        """The other shapes on at least as many GPUs, and what is to be said of the rest together."""
        least = self.best.gpus if self.best else self.gpus
        near = [shape for shape in self.found if shape is not self.best and shape.gpus >= least]
        near.sort(key=lambda shape: (-shape.gpus, -shape.tensor))
        lines = []
        for shape in near:
            reason = others(shape, self.best, self.asked) if self.best else memory_problem(shape, self.asked)
            lines.append(f"  {shape.name} ({_gpus(shape.gpus)}): {reason}")
        fewer = [shape for shape in self.found if shape.gpus < least]
        if fewer:
            roomy = sum(shape.fits and not shape.tight for shape in fewer)
            lines.append(f"  {len(fewer)} shapes on fewer GPUs: {roomy} of them fit with room")
        lines += self.illegal()
        return (
            ["Why not the others:", *lines] if self.best and lines else ["Looked at:", *lines] if len(lines) > 1 else []
        )

    def illegal(self) -> list[str]:
        """Tensor-parallel sizes that the engine refuses; only powers of two, for nobody wonders about the others."""
        powers = [2**power for power in range(int(math.log2(self.gpus)) + 1)]
        refused = [(tensor, shapes.width_problem(self.model, tensor)) for tensor in powers]
        return [f"  TP{tensor}: not legal, {problem}" for tensor, problem in refused if problem]


def _gpus(count: int) -> str:
    return f"{count} GPU{'s' if count != 1 else ''}"
