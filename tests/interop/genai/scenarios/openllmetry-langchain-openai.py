"""OpenLLMetry on LangChain and on the OpenAI client below it."""

from traceloop.sdk import Instruments

import langchain_cases
import openllmetry_setup
from scene import case

openllmetry_setup.start(Instruments.LANGCHAIN, Instruments.OPENAI)
langchain_cases.play(case())
