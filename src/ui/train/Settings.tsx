import { useState } from "react";
import type { TrainConfig } from "../../worker/protocol.ts";
import { formatCount } from "../format.ts";
import { NUMBER_SETTINGS, settingProblem, TARGET_PRESETS, type NumberSetting } from "./settings.ts";
import { currentConfig, useTrain, type PresetName } from "./trainStore.ts";

const PRESETS: readonly [PresetName, string, string][] = [
  ["quick", "Quick look", "A few minutes on an integrated GPU"],
  ["paper", "Paper", "The paper's values"],
  ["mine", "My settings", "Begins from the preset that was on"],
];

export function Settings({ disabled, heldout }: { disabled: boolean; heldout: number }) {
  const state = useTrain();
  const [about, setAbout] = useState("");
  const config = currentConfig(state);
  if (config === null || state.presets === null) return null;
  const { paper } = state.presets;
  /** A row whose line and range show below the table while it is pointed at or edited. */
  const row = (text: string) => ({ onPointerEnter: () => setAbout(text), onFocus: () => setAbout(text) });
  const choose = (preset: PresetName): void =>
    useTrain.setState(preset === "mine" && state.mine === null ? { preset, mine: config } : { preset });
  return (
    <fieldset className="settings" disabled={disabled}>
      <legend className="visually-hidden">Settings</legend>
      <div className="segmented" role="group" aria-label="Preset">
        {PRESETS.map(([name, title, hint]) => (
          <button
            key={name}
            type="button"
            aria-pressed={state.preset === name}
            title={hint}
            onClick={() => choose(name)}
          >
            {title}
          </button>
        ))}
      </div>
      <table>
        <thead>
          <tr>
            <th scope="col">Setting</th>
            <th scope="col">Value</th>
            <th scope="col" className="right">
              Paper
            </th>
          </tr>
        </thead>
        <tbody>
          {NUMBER_SETTINGS.map((setting) => (
            <tr key={setting.key} {...row(`${setting.title}: ${setting.does} From ${setting.min} to ${setting.max}.`)}>
              <td>
                <label htmlFor={`setting-${setting.key}`}>{setting.title}</label>
              </td>
              <td>
                <NumberField setting={setting} value={config[setting.key]} />
              </td>
              <td className="right number faint">{paper[setting.key]}</td>
            </tr>
          ))}
          <tr {...row("LoRA targets: which linears of each layer are adapted.")}>
            <td>
              <label htmlFor="setting-targets">LoRA targets</label>
            </td>
            <td>
              <select
                id="setting-targets"
                value={targetsName(config.targets)}
                onChange={(event) => state.change({ targets: TARGET_PRESETS[event.target.value] ?? config.targets })}
              >
                {Object.keys(TARGET_PRESETS).map((name) => (
                  <option key={name}>{name}</option>
                ))}
              </select>
            </td>
            <td className="right faint">{targetsName(paper.targets)}</td>
          </tr>
          <tr {...row("Step limit: stops after so many optimizer steps, whatever the epochs. Empty: no limit.")}>
            <td>
              <label htmlFor="setting-maxSteps">Step limit</label>
            </td>
            <td>
              <input
                id="setting-maxSteps"
                type="number"
                min={1}
                step={1}
                placeholder="none"
                value={config.maxSteps ?? ""}
                onChange={(event) =>
                  state.change({ maxSteps: event.target.value === "" ? null : Number(event.target.value) })
                }
              />
            </td>
            <td className="right faint">none</td>
          </tr>
          <tr {...row("Predict held-out: when the held-out sentences are predicted with the adapter as it is.")}>
            <td>
              <label htmlFor="setting-evaluate">Predict held-out</label>
            </td>
            <td>
              <select
                id="setting-evaluate"
                value={state.evaluate}
                onChange={(event) => useTrain.setState({ evaluate: event.target.value as "epoch" | "end" | "never" })}
              >
                <option value="epoch">after each epoch</option>
                <option value="end">at the end</option>
                <option value="never">never</option>
              </select>
            </td>
            <td />
          </tr>
          <tr {...row("Held-out sentences: fewer make a quicker look at a coarser score.")}>
            <td>
              <label htmlFor="setting-heldout">Held-out sentences</label>
            </td>
            <td>
              <input
                id="setting-heldout"
                type="number"
                min={1}
                max={heldout}
                placeholder={`all ${formatCount(heldout)}`}
                value={state.heldoutLimit ?? ""}
                onChange={(event) =>
                  useTrain.setState({
                    heldoutLimit: event.target.value === "" ? null : Math.max(1, Number(event.target.value)),
                  })
                }
              />
            </td>
            <td />
          </tr>
        </tbody>
      </table>
      <p className="setting-about soft" aria-live="polite">
        {about === "" ? "Point at a setting to see what it does and its range." : about}
      </p>
    </fieldset>
  );
}

/** Keeps what is typed as it is typed ("3e-", "0."), and hands on what is a number. */
function NumberField({ setting, value }: { setting: NumberSetting; value: number }) {
  const [draft, setDraft] = useState<string | null>(null);
  const problem = settingProblem(setting, value);
  return (
    <input
      id={`setting-${setting.key}`}
      type="text"
      inputMode="decimal"
      className="number"
      value={draft ?? `${value}`}
      aria-invalid={problem !== null}
      title={problem ?? setting.does}
      onChange={(event) => {
        setDraft(event.target.value);
        const patch: Partial<TrainConfig> = {
          [setting.key]: event.target.value.trim() === "" ? NaN : Number(event.target.value),
        };
        useTrain.getState().change(patch);
      }}
      onBlur={() => setDraft(null)}
    />
  );
}

function targetsName(targets: TrainConfig["targets"]): string {
  const key = [...targets].sort().join();
  const preset = Object.entries(TARGET_PRESETS).find(([, list]) => [...list].sort().join() === key);
  return preset?.[0] ?? targets.join(", ");
}
