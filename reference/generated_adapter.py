"""A deterministic LoRA adapter that TypeScript generates too, so that no adapter file is committed.

The hash is PCG-RXS-M-XS-32 (O'Neill 2014), as used for shaders by Jarzynski and Olano (JCGT 2020).
"""

import numpy as np


def pcg(value: np.ndarray) -> np.ndarray:
    """uint32 → uint32, element by element."""
    state = (value.astype(np.uint64) * np.uint64(747796405) + np.uint64(2891336453)) & np.uint64(0xFFFFFFFF)
    word = ((state >> ((state >> np.uint64(28)) + np.uint64(4))) ^ state) * np.uint64(277803737) & np.uint64(0xFFFFFFFF)
    return ((word >> np.uint64(22)) ^ word).astype(np.uint32)


def name_seed(name: str) -> int:
    """A seed from the UTF-8 bytes of a name."""
    seed = np.zeros(1, np.uint32)
    for byte in name.encode():
        seed = pcg(seed ^ np.uint32(byte))
    return int(seed[0])


def uniform(seed: int, count: int) -> np.ndarray:
    """`count` numbers in [-1, 1), f64, each exact in f32."""
    base = np.uint64(pcg(np.array([seed], np.uint32))[0])
    index = (np.arange(count, dtype=np.uint64) + base) & np.uint64(0xFFFFFFFF)
    return (pcg(index.astype(np.uint32)) >> np.uint32(8)).astype(np.float64) * 2.0**-24 * 2 - 1


def lora_tensor(name: str, shape: tuple[int, int]) -> np.ndarray:
    """f32 values of a PEFT tensor (rows, columns). B is not zero, so that A has a gradient."""
    amplitude = 1 / np.sqrt(shape[1]) if ".lora_A." in name else 0.02
    return (amplitude * uniform(name_seed(name), shape[0] * shape[1])).astype(np.float32).reshape(shape)
