// Coding agents are programs that are asked one question.

import { spawnSync } from "node:child_process";
import { appendFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { CASE } from "./scene.mjs";

/** The path of a file in a package. */
export const inPackage = (path) => fileURLToPath(new URL(`../../node_modules/${path}`, import.meta.url));

/** Runs a program to its end. Only in a case of an error may it fail. */
export function run(program, args, environment) {
  const done = spawnSync(program, args, { env: { ...process.env, ...environment }, input: "", encoding: "utf8" });
  if (done.error) throw done.error;
  if (done.status !== 0 && !CASE.startsWith("error")) throw new Error(`${done.stdout}\n${done.stderr}`);
}

/** Tells the recorder of a tool of the program's own that ran. */
export function toolRan(name, input, result) {
  appendFileSync(process.env.SCENE_TOOLS_FILE, `${JSON.stringify({ name, arguments: input, result })}\n`);
}
