import { type ModelStateChoice, stateLabel, withState } from "../models/modelStates.ts";
import { useModelStates } from "../models/useModelStates.ts";
import { useView } from "../stores/viewStore.ts";
import { MOST_STATES } from "./inspectView.ts";
import { useChosenStates } from "./requests.ts";

const choose = (states: readonly (string | null)[]): void => useView.getState().setInspect({ states });

/** Up to three states of the model beside each other: the same in all views of Inspect, and in the address. */
export function StateChoice() {
  const choices = useModelStates();
  const ids = useChosenStates().map(({ adapter }) => adapter);
  const wanted = useView(({ inspect }) => inspect.states);
  const free = choices.filter(({ adapter }) => !ids.includes(adapter));
  const gone = (wanted ?? []).filter((state) => !choices.some(({ adapter }) => adapter === state)).length;
  return (
    <span className="row state-choice" role="group" aria-label="Model states">
      {ids.map((id, index) => (
        <select
          key={index}
          aria-label={`State ${"abc".charAt(index)}`}
          value={id ?? ""}
          title="One that is beside it already changes places with it"
          onChange={({ target: { value } }) =>
            choose(value === "none" ? ids.toSpliced(index, 1) : withState(ids, index, value === "" ? null : value))
          }
        >
          <StateOptions choices={choices} />
          {ids.length > 1 && <option value="none">Remove</option>}
        </select>
      ))}
      {ids.length < MOST_STATES && free.length > 0 && (
        <select
          aria-label="Compare with"
          className="compare-with"
          value="none"
          onChange={({ target: { value } }) => choose([...ids, value === "" ? null : value])}
        >
          <option value="none" disabled>
            Compare with…
          </option>
          <StateOptions choices={free} />
        </select>
      )}
      {choices.length === 1 && <span className="faint">Training makes adapters to compare with.</span>}
      {gone > 0 && choices.length > 1 && (
        <span className="faint">A state that was compared is not there any more.</span>
      )}
    </span>
  );
}

function StateOptions({ choices }: { choices: readonly ModelStateChoice[] }) {
  return choices.map((choice) => (
    <option key={choice.adapter ?? ""} value={choice.adapter ?? ""}>
      {stateLabel(choice, choice.name)}
    </option>
  ));
}
