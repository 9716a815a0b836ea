"""OpenLLMetry on LangChain."""

from traceloop.sdk import Instruments

import langchain_cases
import openllmetry_setup
from scene import case, request_span

openllmetry_setup.start(Instruments.LANGCHAIN)
with request_span():
    langchain_cases.play(case())
