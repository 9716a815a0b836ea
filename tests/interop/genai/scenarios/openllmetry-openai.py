"""OpenLLMetry on the OpenAI client; in the case `agent` with its decorators above."""

from traceloop.sdk import Instruments
from traceloop.sdk.decorators import agent, task, tool, workflow

import openai_cases
import openllmetry_setup
import scene


@tool(name="get_weather")
def get_weather(city):
    return scene.get_weather(city)


@task(name="look_up")
def look_up():
    openai_cases.get_weather = get_weather
    openai_cases.play("tools")


@agent(name="weather_agent")
def weather_agent():
    look_up()


@workflow(name="travel")
def travel():
    weather_agent()


openllmetry_setup.start(Instruments.OPENAI)
if scene.case() == "agent":
    travel()
else:
    openai_cases.play(scene.case())
