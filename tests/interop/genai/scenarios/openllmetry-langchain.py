"""OpenLLMetry on LangChain."""

from traceloop.sdk import Instruments

import langchain_cases
import openllmetry_setup
from scene import case

openllmetry_setup.start(Instruments.LANGCHAIN)
langchain_cases.play(case())
