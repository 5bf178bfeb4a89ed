// Runs the command as a user does, in a folder of its own, for tests.
import { type ChildProcess, spawn, spawnSync, type StdioOptions } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const command = fileURLToPath(new URL("../../bin/obp.mjs", import.meta.url));

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** The one object of --json. */
  json(): Record<string, unknown>;
}

/** A folder with files, and the command run inside it; removed at the end of the `using` block. */
export class CommandFolder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "obp-test-"));

  constructor(files: Readonly<Record<string, string>> = {}) {
    for (const [name, content] of Object.entries(files)) {
      writeFileSync(join(this.path, name), content);
    }
  }

  obp(...words: readonly string[]): Outcome {
    return this.#run(process.execPath, [command, ...words]);
  }

  /** The command where no file may grow beyond `blocks` × 512 bytes. */
  obpWithFileLimit(blocks: number, ...words: readonly string[]): Outcome {
    const script = `trap "" XFSZ; ulimit -f ${blocks}; exec "$0" "$@"`;
    return this.#run("sh", ["-c", script, process.execPath, command, ...words]);
  }

  /** The command with its standard output or error sent to a file or device. */
  obpInto(path: string, stream: "stdout" | "stderr", ...words: readonly string[]): Outcome {
    const descriptor = openSync(path, "w");
    try {
      const output = stream === "stdout" ? [descriptor, "pipe" as const] : ["pipe" as const, descriptor];
      return this.#run(process.execPath, [command, ...words], ["ignore", ...output]);
    } finally {
      closeSync(descriptor);
    }
  }

  /** Names in the folder, sorted. */
  list(): string[] {
    return readdirSync(this.path).sort();
  }

  read(name: string): string {
    return readFileSync(join(this.path, name), "utf8");
  }

  #run(program: string, words: readonly string[], stdio: StdioOptions = ["ignore", "pipe", "pipe"]): Outcome {
    const { status, stdout, stderr } = spawnSync(program, words, { cwd: this.path, encoding: "utf8", stdio });
    return { code: status, stdout, stderr, json: () => JSON.parse(stdout) as Record<string, unknown> };
  }

  /** Starts the command without waiting for it: for what takes long, or is to be interrupted. */
  start(...words: readonly string[]): { readonly child: ChildProcess; readonly outcome: Promise<Outcome> } {
    const child = spawn(process.execPath, [command, ...words], { cwd: this.path, stdio: ["ignore", "pipe", "pipe"] });
    let [stdout, stderr] = ["", ""];
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    const outcome = new Promise<Outcome>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code) =>
        resolve({ code, stdout, stderr, json: () => JSON.parse(stdout) as Record<string, unknown> }),
      );
    });
    return { child, outcome };
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
