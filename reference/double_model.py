"""A GGUF Llama in f64 with a PEFT adapter: weights as the file's own dequantization gives them.

transformers computes RoPE angles, RMSNorm and eager softmax in f32 whatever the model's type is; the
first two are replaced here by f64 ones, and attention is PyTorch's own in f64 ("sdpa").
"""

from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM
from transformers.models.llama.modeling_llama import LlamaRMSNorm, LlamaRotaryEmbedding

from generated_adapter import lora_tensor


def _double_norm(self, x: torch.Tensor) -> torch.Tensor:
    return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.variance_epsilon))


def _double_rope(self, x: torch.Tensor, position_ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    dim = self.config.head_dim
    exponent = torch.arange(0, dim, 2, dtype=torch.float64) / dim
    frequency = self.config.rope_parameters["rope_theta"] ** -exponent
    angle = position_ids[..., None].double() * frequency
    angle = torch.cat([angle, angle], -1)
    return angle.cos().to(x.dtype), angle.sin().to(x.dtype)


def patch() -> None:
    """RMSNorm and RoPE angles in the model's own type, for every Llama of this process."""
    LlamaRMSNorm.forward = _double_norm
    LlamaRotaryEmbedding.forward = _double_rope


def load(path: Path) -> torch.nn.Module:
    """The plain model, f64, in evaluation mode."""
    patch()
    model = AutoModelForCausalLM.from_pretrained(
        str(path.parent), gguf_file=path.name, dtype=torch.float32, attn_implementation="sdpa"
    )
    model.is_quantized = False  # its weights are plain numbers now; Trainer refuses GGUF models by this mark
    return model.double().eval()


def with_adapter(model: torch.nn.Module, rank: int, alpha: int, targets: list[str]) -> PeftModel:
    """The model with the generated adapter on; no dropout, only LoRA tensors need gradients."""
    config = LoraConfig(r=rank, lora_alpha=alpha, lora_dropout=0.0, target_modules=targets, task_type="CAUSAL_LM")
    adapted = get_peft_model(model, config, autocast_adapter_dtype=False).double().eval()
    for name, parameter in lora_parameters(adapted).items():
        parameter.data = torch.from_numpy(lora_tensor(name, tuple(parameter.shape))).double()
    return adapted


def lora_parameters(adapted: PeftModel) -> dict[str, torch.nn.Parameter]:
    """PEFT's file name → parameter ("…lora_A.weight"; in memory it is "…lora_A.default.weight")."""
    return {
        name.replace(".default.", "."): parameter
        for name, parameter in adapted.named_parameters()
        if "lora_" in name
    }
