"""MLflow's autologging of the OpenAI client below a traced function, exported over OTLP as its guide says."""

import os

os.environ["MLFLOW_TRACKING_URI"] = "file:./mlruns"

import mlflow
import mlflow.openai

import openai_cases
from scene import SESSION, USER, case, get_weather

mlflow.openai.autolog()
openai_cases.get_weather = mlflow.trace(span_type="TOOL")(get_weather)


@mlflow.trace(span_type="AGENT" if case() == "agent" else "CHAIN")
def answer(name):
    if case() == "session":
        mlflow.update_current_trace(metadata={"mlflow.trace.session": SESSION, "mlflow.trace.user": USER}, tags={"plan": "pro"})
    openai_cases.play(name)
    return "done"


answer("tools" if case() == "agent" else case())
mlflow.flush_trace_async_logging()
