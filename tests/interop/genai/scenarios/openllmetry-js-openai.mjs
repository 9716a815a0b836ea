// OpenLLMetry for JavaScript over OpenAI's SDK.

import OpenAI from "openai";
import { askForWeather, fakeOpenAI, openaiCases } from "./javascript/openai.mjs";
import { flush, start, withTraceloop } from "./javascript/openllmetry.mjs";
import { play } from "./javascript/scene.mjs";

start({ openAI: OpenAI });
const client = fakeOpenAI();
const ask = (prompt, runTool) => askForWeather(client, prompt, runTool);
await play(withTraceloop(openaiCases(client), ask), flush);
