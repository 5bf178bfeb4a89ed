import type { FigureFile, FigureFormat } from "../../worker/protocol.ts";
import type { StudioClient } from "../../worker/client.ts";
import { download } from "../documents/download.ts";
import { ask } from "../stores/engineStore.ts";

const FORMATS: readonly FigureFormat[] = ["png", "svg", "csv", "json"];

/** The figure as a file: the bytes that the command writes. */
export function ExportButtons(props: {
  disabled: boolean;
  file: (client: StudioClient, format: FigureFormat) => Promise<FigureFile>;
}) {
  const save = async (format: FigureFormat): Promise<void> => {
    const made = await ask((client) => props.file(client, format));
    if (made !== null) download(made.fileName, made.content);
  };
  return (
    <div className="row" role="group" aria-label="Save the figure">
      {FORMATS.map((format) => (
        <button
          key={format}
          className="quiet small"
          disabled={props.disabled}
          title={`Save the figure as ${format.toUpperCase()}`}
          onClick={() => void save(format)}
        >
          {format.toUpperCase()}
        </button>
      ))}
    </div>
  );
}
