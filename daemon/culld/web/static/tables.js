/** @file Rows of tables. */

import { h } from "./dom.js";

/** The names of the columns. @param {string[]} names */
export function columns(...names) {
	return h("tr", null, ...names.map((name) => h("th", { scope: "col" }, name)));
}

/** @param {string} name @param {import("./dom.js").Child[]} cells */
export function line(name, ...cells) {
	return h("tr", null, h("th", { scope: "row" }, name), ...cells.map((cell) => h("td", null, cell)));
}
