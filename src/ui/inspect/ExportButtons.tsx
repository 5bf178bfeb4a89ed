import type { FigureFile, FigureFormat } from "../../worker/protocol.ts";
import type { StudioClient } from "../../worker/client.ts";
import { download } from "../documents/download.ts";
import { ask, studio } from "../stores/engineStore.ts";
import { type CopiedFormat, copyFigure } from "./copyFigure.ts";

const FORMATS: readonly FigureFormat[] = ["png", "svg", "csv", "json"];
const NOTHING = "There is no figure of what is chosen yet";
const COPIED: readonly CopiedFormat[] = ["png", "svg"];

/** The figure as a file: the bytes that the command writes; or copied with its caption. */
export function ExportButtons(props: {
  disabled: boolean;
  file: (client: StudioClient, format: FigureFormat) => Promise<FigureFile>;
}) {
  const save = async (format: FigureFormat): Promise<void> => {
    const made = await ask((client) => props.file(client, format));
    if (made !== null) download(made.fileName, made.content);
  };
  return (
    <div className="row export-buttons">
      <div className="row" role="group" aria-label="Copy as figure">
        <span className="soft">Copy</span>
        {COPIED.map((format) => (
          <button
            key={format}
            className="quiet small"
            disabled={props.disabled}
            aria-label={`Copy as ${format.toUpperCase()}`}
            title={props.disabled ? NOTHING : `Copy as figure: ${format.toUpperCase()}, with its caption as text`}
            onClick={() => void copyFigure(format, props.file(studio(), format))}
          >
            {format.toUpperCase()}
          </button>
        ))}
      </div>
      <div className="row" role="group" aria-label="Save the figure">
        <span className="soft">Save</span>
        {FORMATS.map((format) => (
          <button
            key={format}
            className="quiet small"
            disabled={props.disabled}
            title={props.disabled ? NOTHING : `Save the figure as ${format.toUpperCase()}`}
            onClick={() => void save(format)}
          >
            {format.toUpperCase()}
          </button>
        ))}
      </div>
    </div>
  );
}
