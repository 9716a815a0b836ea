// OpenLLMetry for JavaScript over Anthropic's SDK, which traces itself below it.

import * as anthropic from "@anthropic-ai/sdk";
import { anthropicCases, askForWeather, fakeAnthropic } from "./javascript/anthropic.mjs";
import { flush, start, withTraceloop } from "./javascript/openllmetry.mjs";
import { play } from "./javascript/scene.mjs";

start({ anthropic });
const client = fakeAnthropic();
const ask = (prompt, runTool) => askForWeather(client, prompt, runTool);
await play(withTraceloop(anthropicCases(client), ask), flush);
