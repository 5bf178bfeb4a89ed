import { useInspect } from "./inspectStore.ts";
import { MOST_STATES, useChosenStates, useStateChoices } from "./requests.ts";

/** Up to three states of the model beside each other. */
export function StateChoice() {
  const choices = useStateChoices();
  const chosen = useChosenStates();
  const ids = chosen.map(({ adapter }) => adapter);
  const set = (index: number, value: string): void => {
    const next = value === "none" ? ids.toSpliced(index, 1) : ids.with(index, value === "" ? null : value);
    useInspect.setState({ states: next });
  };
  const free = choices.filter(({ adapter }) => !ids.includes(adapter));
  return (
    <span className="row" role="group" aria-label="Model states">
      {chosen.map(({ adapter }, index) => (
        <select
          key={adapter ?? ""}
          aria-label={`State ${"abc".charAt(index)}`}
          value={adapter ?? ""}
          onChange={(event) => set(index, event.target.value)}
        >
          {choices
            .filter((choice) => choice.adapter === adapter || !ids.includes(choice.adapter))
            .map((choice) => (
              <option key={choice.adapter ?? ""} value={choice.adapter ?? ""}>
                {choice.name}
              </option>
            ))}
          {chosen.length > 1 && <option value="none">Remove</option>}
        </select>
      ))}
      {chosen.length < MOST_STATES && free[0] !== undefined && (
        <button
          className="quiet small"
          onClick={() => useInspect.setState({ states: [...ids, ...free.slice(0, 1).map(({ adapter }) => adapter)] })}
        >
          Compare…
        </button>
      )}
      {choices.length === 1 && <span className="faint">Training makes adapters to compare with.</span>}
    </span>
  );
}
