"""OpenLLMetry on the Anthropic client."""

from traceloop.sdk import Instruments

import anthropic_cases
import openllmetry_setup
from scene import case, request_span

openllmetry_setup.start(Instruments.ANTHROPIC)
with request_span():
    anthropic_cases.play(case())
