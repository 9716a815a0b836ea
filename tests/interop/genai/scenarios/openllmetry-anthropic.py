"""OpenLLMetry on the Anthropic client."""

from traceloop.sdk import Instruments

import anthropic_cases
import openllmetry_setup
from scene import case

openllmetry_setup.start(Instruments.ANTHROPIC)
anthropic_cases.play(case())
