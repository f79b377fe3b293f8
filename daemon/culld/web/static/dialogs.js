/** @file The dialogs: all keys, the settings, and the login. */

import { post } from "./api.js";
import { fill, h, icon } from "./dom.js";
import { keysOf, named } from "./keys.js";
import { choose, chosen } from "./settings.js";

/** @typedef {import("./keys.js").Action} Action */

/** Open a dialog; the focus returns afterwards. @param {string} title @param {(Node | null)[]} content @param {() => void} [closed] */
function open(title, content, closed) {
	document.querySelector("dialog")?.close();
	const before = /** @type {HTMLElement | null} */ (document.activeElement);
	const dialog = h(
		"dialog",
		{ "aria-labelledby": "dialog-title" },
		h(
			"header",
			null,
			h("h2", { id: "dialog-title" }, title),
			h("button", { click: () => dialog.close(), "aria-label": "Close", class: "plain" }, icon("cross")),
		),
		...content,
	);
	dialog.addEventListener("close", () => {
		dialog.remove();
		const back = before?.isConnected ? before : document.getElementById(before?.id ?? "");
		back?.focus();
		closed?.();
	});
	document.body.append(dialog);
	dialog.showModal();
	return dialog;
}

/** @param {Action} action */
function keycaps(action) {
	return keysOf(action).flatMap((key, at) => [
		at ? " " : null,
		h("kbd", null, key.replace("Control", "Ctrl").replace(/\+(?=.)/g, " + ")),
	]);
}

/** @param {Action[]} actions @param {(action: Action, row: HTMLTableRowElement) => Node[]} cells */
function tables(actions, cells) {
	return [...new Set(actions.map(({ group }) => group))].map((group) =>
		h(
			"table",
			{ class: "keys" },
			h("caption", null, group),
			...actions
				.filter((action) => action.group === group)
				.map((action) => {
					const row = h("tr", { "data-action": action.id });
					fill(row, ...cells(action, row));
					return row;
				}),
		),
	);
}

/** All keys; each line is a button that does the same. @param {Action[]} actions @param {() => void} settings */
export function help(actions, settings) {
	const then = (/** @type {() => unknown} */ does) => {
		dialog.addEventListener("close", () => does(), { once: true });
		dialog.close();
	};
	const dialog = open("All keys", [
		h("p", null, "Every line is a button as well. Answers are never final: Control + Z takes them back, for ever."),
		h(
			"div",
			{ class: "columns" },
			...tables(actions, (action) => [
				h(
					"th",
					{ scope: "row" },
					h("button", { class: "link", click: () => then(() => action.run()) }, action.label),
				),
				h("td", null, ...keycaps(action)),
			]),
		),
		h("p", null, h("button", { click: () => then(settings) }, "Change keys")),
	]);
}

/** @param {Action[]} actions */
export function settings(actions) {
	const choices = (/** @type {string} */ title, /** @type {Node[]} */ ...parts) =>
		h("fieldset", { class: "choices" }, h("legend", null, title), ...parts);
	const input = (/** @type {string} */ text, /** @type {Record<string, any>} */ props) =>
		h("label", { class: "switch" }, h("input", props), ` ${text}`);
	const radios = (/** @type {"theme" | "tile"} */ name, /** @type {string[]} */ ...values) =>
		values.map((value) => {
			const checked = chosen[name] === value;
			return input(value, { type: "radio", name, value, checked, change: () => choose({ [name]: value }) });
		});
	const check = (/** @type {"letters" | "advance"} */ name, /** @type {string} */ text) => {
		const change = (/** @type {any} */ event) => choose({ [name]: event.target.checked });
		return input(text, { type: "checkbox", name, checked: chosen[name], change });
	};
	const set = (/** @type {Action} */ action, /** @type {string[] | null} */ keys, /** @type {HTMLElement} */ row) => {
		const { [action.id]: _, ...others } = chosen.keys;
		choose({ keys: keys ? { ...others, [action.id]: keys } : others });
		fill(row, ...line(action, row));
		row.querySelector("button")?.focus();
	};
	const line = (/** @type {Action} */ action, /** @type {HTMLElement} */ row) => {
		const button = h(
			"button",
			{
				"aria-label": `Change the key of: ${action.label}`,
				click: () => listenFor(action, button, (key) => set(action, [key], row)),
			},
			"Change",
		);
		const off =
			keysOf(action).length > 0 &&
			h("button", { "aria-label": `Switch the key off of: ${action.label}`, click: () => set(action, [], row) }, "Off");
		const usual =
			action.id in chosen.keys &&
			h("button", { "aria-label": `Usual key of: ${action.label}`, click: () => set(action, null, row) }, "Usual");
		return [
			h("th", { scope: "row" }, action.label),
			h("td", null, ...keycaps(action)),
			h("td", { class: "buttons" }, button, ...[off, usual].filter((each) => each !== false)),
		];
	};
	const listenFor = (
		/** @type {Action} */ action,
		/** @type {HTMLElement} */ button,
		/** @type {(key: string) => void} */ taken,
	) => {
		button.textContent = "Press a key";
		button.addEventListener(
			"keydown",
			(event) => {
				if (["Shift", "Control", "Alt", "Meta"].includes(event.key)) return;
				event.preventDefault();
				event.stopPropagation();
				const key = named(event);
				const other = actions.find((each) => each.id !== action.id && keysOf(each).includes(key));
				if (event.key === "Tab" || key === "Esc" || other) {
					button.textContent = other ? `${key}: ${other.label}` : "Change";
					if (other) setTimeout(() => button.isConnected && (button.textContent = "Change"), 2500);
				} else taken(key);
			},
			{ once: true },
		);
	};
	open("Settings", [
		choices("Theme", ...radios("theme", "auto", "light", "dark")),
		choices("Tiles", ...radios("tile", "small", "medium", "large")),
		choices("Answers", check("advance", "go to the next photo after an answer")),
		choices(
			"Keys",
			check("letters", "keys without Control or Alt"),
			h(
				"button",
				{
					click: (/** @type {any} */ event) => {
						choose({ keys: {} });
						event.target.closest("dialog").close();
					},
				},
				"All keys as usual",
			),
		),
		h("div", { class: "columns" }, ...tables(actions, line)),
	]);
}

/** Ask for the password. @param {string} text why @param {() => void} entered */
export function login(text, entered) {
	const told = h("p", { role: "alert" }, text);
	const field = h("input", { type: "password", id: "password", autocomplete: "current-password", required: true });
	const form = h(
		"form",
		{
			class: "login",
			submit: async (/** @type {Event} */ event) => {
				event.preventDefault();
				try {
					await post("login", { password: field.value });
					entered();
				} catch (error) {
					told.textContent = /** @type {Error} */ (error).message;
					field.select();
				}
			},
		},
		h("h1", null, "culld"),
		h(
			"p",
			null,
			"Run ",
			h("kbd", null, "culld web --link"),
			" on the computer with the photos, and open the address that it prints.",
		),
		h("input", { autocomplete: "username", value: "culld", hidden: true }),
		h("label", { for: "password" }, "Or enter the password"),
		field,
		h("button", { class: "main" }, "Log in"),
		told,
	);
	fill(/** @type {Element} */ (document.getElementById("main")), form);
	document.body.classList.add("locked");
	field.focus();
}
