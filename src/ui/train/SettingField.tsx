import { useState } from "react";
import { BOUNDARY_EDITS } from "../../ner/boundaryEdits.ts";
import type { TrainConfig } from "../../worker/protocol.ts";
import {
  choiceText,
  choiceValue,
  type NumberSetting,
  type Setting,
  settingProblem,
  TARGET_PRESETS,
  targetsName,
} from "./settings.ts";
import { useTrain } from "./trainStore.ts";

interface FieldProps {
  setting: Setting;
  config: TrainConfig;
  id: string;
  disabled?: boolean;
}

/** The control of one setting. Its label points at `id`. */
export function SettingField({ setting, config, id, disabled = false }: FieldProps) {
  const change = (patch: Partial<TrainConfig>): void => useTrain.getState().change(patch);
  const problem = settingProblem(setting, config);
  switch (setting.kind) {
    case "number":
      return (
        <NumberField setting={setting} value={config[setting.key]} problem={problem} id={id} disabled={disabled} />
      );
    case "optional":
      return (
        <input
          id={id}
          type="number"
          min={setting.min}
          step={1}
          placeholder={setting.empty}
          value={config[setting.key] ?? ""}
          aria-invalid={problem !== null}
          title={problem ?? setting.does}
          onChange={({ target }) => change({ [setting.key]: target.value === "" ? null : Number(target.value) })}
        />
      );
    case "choice":
      return (
        <select
          id={id}
          value={choiceText(config[setting.key])}
          onChange={({ target }) => change({ [setting.key]: choiceValue(target.value) })}
        >
          {Object.entries(setting.choices).map(([value, title]) => (
            <option key={value} value={value}>
              {title}
            </option>
          ))}
        </select>
      );
    case "targets":
      return (
        <select
          id={id}
          value={targetsName(config.targets)}
          disabled={disabled}
          onChange={({ target }) => change({ targets: TARGET_PRESETS[target.value] ?? config.targets })}
        >
          {[...new Set([...Object.keys(TARGET_PRESETS), targetsName(config.targets)])].map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      );
    case "kinds":
      return (
        <span id={id} className="kinds" role="group" aria-label={setting.title}>
          {BOUNDARY_EDITS.map((kind) => (
            <label key={kind}>
              <input
                type="checkbox"
                checked={config.boundaryKinds.includes(kind)}
                onChange={({ target }) =>
                  change({
                    boundaryKinds: BOUNDARY_EDITS.filter((other) =>
                      other === kind ? target.checked : config.boundaryKinds.includes(other),
                    ),
                  })
                }
              />
              {kind}
            </label>
          ))}
        </span>
      );
  }
}

/** A setting's value as the column of the paper's values shows it. */
export function settingText(setting: Setting, config: TrainConfig): string {
  switch (setting.kind) {
    case "number":
      return `${config[setting.key]}`;
    case "optional":
      return `${config[setting.key] ?? setting.empty}`;
    case "choice":
      return setting.choices[choiceText(config[setting.key])] ?? choiceText(config[setting.key]);
    case "targets":
      return targetsName(config.targets);
    case "kinds":
      return `${config.boundaryKinds.length}`;
  }
}

interface NumberFieldProps {
  setting: NumberSetting;
  value: number;
  problem: string | null;
  id: string;
  disabled: boolean;
}

/** Keeps what is typed as it is typed ("3e-", "0."), and hands on what is a number. */
function NumberField({ setting, value, problem, id, disabled }: NumberFieldProps) {
  const [draft, setDraft] = useState<string | null>(null);
  return (
    <input
      id={id}
      type="text"
      inputMode="decimal"
      className="number"
      disabled={disabled}
      value={draft ?? `${value}`}
      aria-invalid={problem !== null}
      title={problem ?? setting.does}
      onChange={({ target }) => {
        setDraft(target.value);
        const patch: Partial<TrainConfig> = { [setting.key]: target.value.trim() === "" ? NaN : Number(target.value) };
        useTrain.getState().change(patch);
      }}
      onBlur={() => setDraft(null)}
    />
  );
}
