"""Tiny adapters as PEFT itself saves them, for src/model/adapters/*.test.ts.

    python adapter_goldens.py     # writes goldens/adapters/

One folder for each dtype; `values.json` holds what float32 makes of every tensor.
"""

import json
import shutil
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

OUT = Path(__file__).parent / "goldens" / "adapters"
DTYPES = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}


def main() -> None:
    shutil.rmtree(OUT, ignore_errors=True)
    values = {}
    for name, dtype in DTYPES.items():
        torch.manual_seed(7)
        model = LlamaForCausalLM(
            LlamaConfig(
                vocab_size=16,
                hidden_size=8,
                intermediate_size=12,
                num_hidden_layers=2,
                num_attention_heads=2,
                num_key_value_heads=1,
            )
        )
        lora = LoraConfig(
            r=2,
            lora_alpha=6,
            lora_dropout=0.1,
            target_modules=["q_proj", "down_proj"],
            task_type="CAUSAL_LM",
            base_model_name_or_path="tiny-llama",
        )
        peft_model = get_peft_model(model, lora)
        for parameter_name, parameter in peft_model.named_parameters():
            if "lora_" in parameter_name:
                torch.nn.init.normal_(parameter)  # B too, which PEFT begins with zeros
        peft_model.to(dtype).save_pretrained(OUT / name)
        (OUT / name / "README.md").unlink()  # a model card's form, nothing of ours
        state = {key: tensor for key, tensor in peft_model.state_dict().items() if "lora_" in key}
        values[name] = {
            key.replace(".default", ""): {"shape": list(tensor.shape), "data": tensor.float().flatten().tolist()}
            for key, tensor in sorted(state.items())
        }
    (OUT / "values.json").write_text(json.dumps(values) + "\n")


if __name__ == "__main__":
    main()
