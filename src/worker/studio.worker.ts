import { expose } from "comlink";
import { Studio } from "./studio.ts";

expose(new Studio(navigator.gpu));
