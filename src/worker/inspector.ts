// Looks into the open model: each look is a job, its outcome goes to who asked, and the figure stays here to be written.

import type { CosinesFigure } from "../inspect/cosinesFigure.ts";
import { cosinesDrawing } from "../inspect/cosinesPicture.ts";
import { type Figure, figureFile } from "../inspect/figureFile.ts";
import type { MassFigure } from "../inspect/massFigure.ts";
import { massDrawing } from "../inspect/massPicture.ts";
import type { Lora } from "../model/lora.ts";
import type { EngineSession } from "./engineSession.ts";
import {
  attentionFigure,
  attentionPaint,
  attentionView,
  cosinesView,
  type PaintedAnswer,
  type PaintedMaps,
  type ReadAttention,
  readAttention,
  readCosines,
} from "./inspectAttention.ts";
import { headsView, readHeads } from "./inspectHeads.ts";
import { type ReadSpace, readSpace, spaceFigure, spaceView } from "./inspectSpace.ts";
import type { InspectInput } from "./inspectInput.ts";
import type { JobRunner } from "./jobRunner.ts";
import { LiveAttention } from "./liveAttention.ts";
import type {
  AttentionDrawn,
  AttentionRequest,
  ContrastiveCosines,
  CosinesRequest,
  FigureFile,
  FigureFormat,
  HeadsRequest,
  HeadsView,
  JobPhase,
  ProgressUnit,
  SpaceProgress,
  SpaceRequest,
  SpaceView,
  StudioEvent,
} from "./protocol.ts";
import { compareNamed } from "./stateRuns.ts";
import { throttle } from "./throttle.ts";

/** In the browser's timeline: from here on a map is on its way to the screen. */
const READ_MARK = "obp: attention read";

export class Inspector {
  readonly #session: EngineSession;
  readonly #jobs: JobRunner;
  readonly #emit: (event: StudioEvent) => void;
  /** The map that is taken while trainings run. */
  readonly live = new LiveAttention();
  #attention: ReadAttention | null = null;
  #heads: MassFigure | null = null;
  #cosines: CosinesFigure | null = null;
  #space: ReadSpace | null = null;

  constructor(session: EngineSession, jobs: JobRunner, emit: (event: StudioEvent) => void) {
    this.#session = session;
    this.#jobs = jobs;
    this.#emit = emit;
  }

  attention(request: AttentionRequest, drawn: AttentionDrawn): Promise<PaintedAnswer> {
    return this.#look("Attention", "reading attention", async (input) => {
      this.#attention = await readAttention(input, request);
      performance.clearMarks(READ_MARK);
      performance.mark(READ_MARK);
      return { view: attentionView(this.#attention), paint: attentionPaint(this.#attention, drawn) };
    });
  }

  paint(drawn: AttentionDrawn): PaintedMaps {
    return attentionPaint(this.#known(this.#attention), drawn);
  }

  attentionFile(format: FigureFormat, drawn: AttentionDrawn): Promise<FigureFile> {
    const { type, layer, head } = this.#known(this.#attention).figure;
    return fileOf(nameOf(type, layer, head, drawn), format, attentionFigure(this.#known(this.#attention), drawn));
  }

  liveFile(index: number, format: FigureFormat, drawn: AttentionDrawn): Promise<FigureFile> {
    const { view } = this.live.map(index, drawn);
    const name = `${nameOf(view.type, view.layer, view.head, drawn)}-${view.maps.at(-1)?.name}`;
    return fileOf(name, format, this.live.figure(index, drawn));
  }

  heads(request: HeadsRequest): Promise<HeadsView> {
    return this.#look("Attention on entities", "reading attention", async (input) => {
      this.#heads = await readHeads(input, request);
      return headsView(this.#heads);
    });
  }

  headsFile(format: FigureFormat): Promise<FigureFile> {
    const figure = this.#known(this.#heads);
    return fileOf(`attention-on-${figure.type}-all-layers`, format, massDrawing(figure));
  }

  cosines(request: CosinesRequest): Promise<ContrastiveCosines[]> {
    return this.#look("Contrastive view", "measuring cosines", async (input) => {
      this.#cosines = await readCosines(input, request);
      return cosinesView(this.#cosines);
    });
  }

  cosinesFile(format: FigureFormat): Promise<FigureFile> {
    const figure = this.#known(this.#cosines);
    return fileOf(`contrastive-${figure.type}-layer-${figure.layer}`, format, cosinesDrawing(figure));
  }

  space(request: SpaceRequest, show: (progress: SpaceProgress) => void): Promise<SpaceView> {
    return this.#look("Space", "reading entities", async (input) => {
      this.#space = await readSpace(input, request, show);
      return spaceView(this.#space);
    });
  }

  spaceFile(format: FigureFormat): Promise<FigureFile> {
    const space = this.#known(this.#space);
    return fileOf(`space-${space.figure.layout.method}-layer-${space.figure.layer}`, format, spaceFigure(space));
  }

  /** Errors are told to who asked, who shows them in their place; the job itself ends without one. */
  #look<T>(name: string, phase: JobPhase, work: (input: InspectInput) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#jobs.start({ job: "inspect", name, adapter: null, config: null }, async ({ signal }) => {
        const session = this.#session;
        const onProgress = throttle((done: number, total: number, unit: ProgressUnit) =>
          this.#emit({ kind: "progress", done, total, unit }),
        );
        const onPhase = (next: JobPhase): void => this.#emit({ kind: "phase", phase: next });
        try {
          const llama = await session.llama(signal);
          onPhase(phase);
          const lora = (id: string | null): Promise<Lora | null> => session.lora(llama, id);
          resolve(
            await work({ llama, model: session.openModel, signal, lora, compare: compareNamed, onProgress, onPhase }),
          );
        } catch (error) {
          const reason = session.lost ?? error;
          reject(reason instanceof Error ? reason : new Error(String(reason)));
        }
        return { steps: 0, adapter: null };
      });
    });
  }

  #known<T>(figure: T | null): T {
    if (figure === null) throw new Error("expected a figure to have been read, got none (read it first)");
    return figure;
  }
}

function nameOf(type: string, layer: number, head: AttentionRequest["head"], { difference }: AttentionDrawn): string {
  const heads = head === "mean" ? "mean" : head === "all" ? "all-heads" : `head-${head}`;
  return `attention-${type}-layer-${layer}-${heads}${difference ? "-difference" : ""}`;
}

async function fileOf(name: string, format: FigureFormat, figure: Figure): Promise<FigureFile> {
  const content = await figureFile(figure, format);
  const caption = format === "png" || format === "svg" ? figure.scene().description : "";
  return { fileName: `${name.replaceAll(/[^\p{L}\p{N}]+/gu, "-")}.${format}`, content, caption };
}
