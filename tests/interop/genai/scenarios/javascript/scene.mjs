// What every scenario in JavaScript shares; ../scene.py says the same for Python.

import { appendFileSync, readFileSync } from "node:fs";

const scene = JSON.parse(readFileSync(new URL("../../scene.json", import.meta.url), "utf8"));

export const { session_id: SESSION, user_id: USER, system: SYSTEM, prompts: PROMPTS, models: MODELS } = scene;
/** The tool as OpenAI's SDK wants it. */
export const TOOL = { name: scene.tool.name, description: scene.tool.description, parameters: scene.tool.schema };
export const AGENT = "weather_agent";
export const MAX_TOKENS = 2000;

/** The case that this process shall play. */
export const CASE = process.argv[2];

/** The address of the fake, for the base URL of a client. */
export const fake = (path = "") => process.env.FAKE_URL + path;

/** The weather in a city now. */
export function getWeather({ city }) {
  const result = scene.tool.result + city;
  // The recorder learns here that the tool ran, whatever the instrumentation says.
  const ran = { name: TOOL.name, arguments: { city }, result };
  appendFileSync(process.env.SCENE_TOOLS_FILE, `${JSON.stringify(ran)}\n`);
  return result;
}

/** Reads a stream to its end. */
export async function consume(stream) {
  for await (const _ of stream);
}

/** Plays the case, one of `cases`, and waits for `flush`. The case of an error must fail. */
export async function play(cases, flush) {
  const failed = await cases[CASE]().then(
    () => null,
    (error) => error,
  );
  await flush();
  if (failed && CASE !== "error") throw failed;
  if (!failed && CASE === "error") throw new Error("the call did not fail");
}
