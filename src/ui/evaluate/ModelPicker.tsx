import { stateLabel } from "../models/modelStates.ts";
import type { ModelChoice } from "./states.ts";

/** Chooses a state of the model; the empty id is the model as it came. */
export function ModelPicker(props: {
  label: string;
  value: string;
  choices: readonly ModelChoice[];
  onChange: (id: string) => void;
}) {
  return (
    <label className="row">
      <span className="soft">{props.label}</span>
      <select value={props.value} onChange={(event) => props.onChange(event.target.value)}>
        {props.choices.map(({ adapter, title, detail }) => (
          <option key={adapter ?? ""} value={adapter ?? ""}>
            {stateLabel({ detail }, title)}
          </option>
        ))}
      </select>
    </label>
  );
}
