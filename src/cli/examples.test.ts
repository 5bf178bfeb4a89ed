/** The example that each verb's help prints works as printed, in the project's root. */
import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { CommandFolder } from "./testCommand.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const PATH = [join(root, "node_modules", ".bin"), process.env["PATH"] ?? ""].join(delimiter);

/** Runs a line of the shell in the project's root; what it printed, and its exit code. */
function shell(line: string): Promise<{ code: number | null; output: string }> {
  const child = spawn("sh", ["-c", line], {
    cwd: root,
    env: { ...process.env, PATH },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output }));
  });
}

const examples = (() => {
  using folder = new CommandFolder();
  const names = [...folder.obp("--help").stdout.matchAll(/^ {2}(\w+(?: \w+)?) {2,}\S/gm)].map(([, name = ""]) => name);
  return names.map((name) => {
    const help = folder.obp(...name.split(" "), "--help").stdout;
    return { name, example: /\nexample:\n {2}(.*)\n$/.exec(help)?.[1] ?? "" };
  });
})();

describe("examples in the help", () => {
  test("every verb has one", () => {
    expect(examples.filter(({ example }) => !example.includes("npx obp "))).toEqual([]);
    expect(examples.length).toBeGreaterThan(8);
  });

  test.each(examples)("$name: $example", { timeout: 600_000 }, async ({ example }) => {
    const { code, output } = await shell(example);
    expect([code, output]).toEqual([0, expect.stringMatching(/\S/)]);
  });
});
