/** A Scene as SVG, with real text that can be found, copied and edited. The same text for the same scene. */
import { strToU8 } from "fflate";
import { encodePng } from "./encodePng.ts";
import type { Scene, SceneShape, TextShape } from "./scene.ts";

const FONTS = "Inter, 'Helvetica Neue', Arial, 'Noto Sans', sans-serif";

export function sceneSvg({ width, height, background, description, shapes }: Scene): string {
  const size = `width="${n(width)}" height="${n(height)}" viewBox="0 0 ${n(width)} ${n(height)}"`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" font-family="${FONTS}">`,
    `<title>${escape(description)}</title>`,
    `<rect width="100%" height="100%" fill="${background}"/>`,
    ...shapes.map(element),
    "</svg>\n",
  ].join("\n");
}

function element(shape: SceneShape): string {
  switch (shape.kind) {
    case "rect":
      return `<rect ${box(shape)}${filled(shape)}/>`;
    case "polygon":
      return `<polygon points="${shape.points.map(n).join(" ")}"${filled(shape)}/>`;
    case "circle":
      return `<circle cx="${n(shape.x)}" cy="${n(shape.y)}" r="${n(shape.radius)}"${filled(shape)}/>`;
    case "line":
      return `<line x1="${n(shape.x1)}" y1="${n(shape.y1)}" x2="${n(shape.x2)}" y2="${n(shape.y2)}" stroke="${shape.stroke}" stroke-width="${n(shape.width)}"/>`;
    case "text":
      return text(shape);
    case "cells": {
      const image = base64(encodePng(shape.columns, shape.rows, shape.rgb));
      return `<image ${box(shape)} preserveAspectRatio="none" style="image-rendering:pixelated" href="data:image/png;base64,${image}"/>`;
    }
  }
}

function text({ x, y, text: content, size, fill, strong, anchor, rotate }: TextShape): string {
  const attributes = [
    `x="${n(x)}" y="${n(y)}" font-size="${n(size)}" fill="${fill}" xml:space="preserve"`,
    ...(strong === true ? ['font-weight="600"'] : []),
    ...(anchor === undefined || anchor === "start" ? [] : [`text-anchor="${anchor}"`]),
    ...(rotate === undefined || rotate === 0 ? [] : [`transform="rotate(${n(rotate)} ${n(x)} ${n(y)})"`]),
  ];
  return `<text ${attributes.join(" ")}>${escape(content)}</text>`;
}

function box(shape: { x: number; y: number; width: number; height: number }): string {
  return `x="${n(shape.x)}" y="${n(shape.y)}" width="${n(shape.width)}" height="${n(shape.height)}"`;
}

function filled({ fill, opacity = 1 }: { fill: string; opacity?: number }): string {
  return ` fill="${fill}"${opacity === 1 ? "" : ` fill-opacity="${n(opacity)}"`}`;
}

/** To a hundredth of a pixel: finer is not seen, and makes files larger. */
function n(value: number): string {
  return String(Math.round(value * 100) / 100 + 0); // + 0: no "-0"
}

/** Characters that XML cannot hold are shown as U+FFFD. */
function escape(content: string): string {
  return content
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "\ufffd")
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;");
}

const BASE64 = strToU8("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");

function base64(bytes: Uint8Array): string {
  const out = new Uint8Array(Math.ceil(bytes.length / 3) * 4).fill("=".charCodeAt(0));
  for (let from = 0, to = 0; from < bytes.length; from += 3, to += 4) {
    const [a = 0, b = 0, c = 0] = bytes.subarray(from, from + 3);
    const word = (a << 16) | (b << 8) | c;
    const characters = Math.min(bytes.length - from, 3) + 1;
    for (let i = 0; i < characters; i++) {
      out[to + i] = BASE64[(word >> (18 - 6 * i)) & 63] ?? 0;
    }
  }
  return new TextDecoder().decode(out);
}
