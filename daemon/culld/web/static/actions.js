/** @file Everything that a person can do by a key, as one table: the keys, the help and the settings come from it. */

import { byId, tell } from "./dom.js";
import { enterFilter } from "./filterbar.js";
import { CLIPPING, HEAT, ON, turn } from "./shown.js";
import { counted } from "./words.js";

/** @typedef {import("./keys.js").Action} Action */
/** @typedef {import("./main.js").Page} Page */

/** @param {Page} page @returns {Action[]} */
export function actionsOf(page) {
	const { review } = page;
	const answer = (/** @type {import("./words.js").Kind} */ kind) => () => {
		if (review.answer(kind) && review.advances) page.forward();
	};
	const select = (/** @type {number} */ dx, /** @type {number} */ dy) => () => {
		if (!review.id) return;
		const before = review.id;
		page.view?.move?.(dx, dy);
		review.select([before, review.id]);
	};
	const undo = (/** @type {boolean} */ again) => async () => {
		const photos = await review.answers.undo(again);
		tell(
			photos
				? `${again ? "Done again" : "Undone"}: ${counted(photos, "photo")}. ${review.progress()}.`
				: `Nothing to ${again ? "do again" : "undo"}.`,
		);
	};
	const pan =
		(/** @type {number} */ dx, /** @type {number} */ dy, /** @type {boolean} */ alone = false) =>
		() =>
			page.view?.pan?.(dx, dy, alone);
	const jump = (/** @type {string} */ key) => () => page.view?.jump?.(key);
	const copies = (/** @type {"toggle" | "beside"} */ what) => () => {
		const { id } = review;
		void import("./copies.js").then((module) => module[what](page, id));
	};
	/** @typedef {[string, string, string[], (event?: Event) => unknown, (() => unknown)?]} Line */
	/** One line for each arrow. @type {(id: string, label: string, key: string, run: (dx: number, dy: number) => () => unknown) => Line[]} */
	const sides = (id, label, key, run) => [
		[`${id}-left`, `${label} to the left`, [`${key}+Left`], run(-1, 0)],
		[`${id}-right`, `${label} to the right`, [`${key}+Right`], run(1, 0)],
		[`${id}-up`, `${label} up`, [`${key}+Up`], run(0, -1)],
		[`${id}-down`, `${label} down`, [`${key}+Down`], run(0, 1)],
	];
	/** @type {[string, Line[]][]} */
	const table = [
		[
			"Move",
			[
				["next", "Next photo", ["Right", "J"], () => page.view?.move?.(1, 0)],
				["previous", "Previous photo", ["Left", "K"], () => page.view?.move?.(-1, 0)],
				["down", "Next burst; a row down in the grid", ["Down"], () => page.view?.move?.(0, 1)],
				["up", "Previous burst; a row up in the grid", ["Up"], () => page.view?.move?.(0, -1)],
				["first", "First photo", ["Home"], jump("Home")],
				["last", "Last photo", ["End"], jump("End")],
				["page-down", "A page down", ["PageDown"], jump("PageDown")],
				["page-up", "A page up", ["PageUp"], jump("PageUp")],
			],
		],
		[
			"Answer",
			[
				["restore", "Wrong: bring it back", ["P"], answer("restore")],
				["confirm", "Right: it may go", ["X"], answer("confirm")],
				["withdraw", "Take my answer back", ["U"], answer("withdraw")],
				[
					"keep-one",
					"Keep this one of the burst, the other rejects may go, next burst",
					["Shift+P"],
					() => page.keepOne(),
				],
				["reject", "Reject it myself", ["Shift+X"], answer("reject")],
				["undo", "Undo", ["Control+Z"], undo(false)],
				["redo", "Do it again", ["Control+Shift+Z"], undo(true)],
			],
		],
		[
			"Look",
			[
				["zoom", "100 % and back; while held", ["Z", "Space"], () => page.view?.zoom?.(), () => page.view?.zoom?.()],
				["zoom-in", "Zoom in", ["+", "="], () => page.view?.zoomStep?.(1)],
				["zoom-out", "Zoom out", ["-"], () => page.view?.zoomStep?.(-1)],
				...sides("pan", "Move what is in view", "Control", (dx, dy) => pan(dx, dy)),
				...sides("shift", "Move one pane of several", "Control+Shift", (dx, dy) => pan(0.3 * dx, 0.3 * dy, true)),
				["heat", "Heat map of the reason: off, map, contour", ["H"], () => said("Heat map", turn("heat", HEAT))],
				["clipping", "Clipping: off, over, under, both", ["O"], () => said("Clipping", turn("clipping", CLIPPING))],
				["sharp", "Sharpest regions", ["V"], () => said("Sharpest regions", turn("sharp", ON))],
				["regions", "Regions with a defect: contours and legend", ["R"], () => said("Regions", turn("regions", ON))],
				["before", "The repaired copy and back; ask for one", ["B", "\\"], copies("toggle")],
				["beside", "The photo and its repaired copy beside each other", ["Shift+B"], copies("beside")],
				["why", "Why: facts, thresholds, history", ["I"], () => page.toggle("why")],
				[
					"full",
					"Full screen",
					["F"],
					() =>
						document.fullscreenElement
							? document.exitFullscreen()
							: document.documentElement.requestFullscreen?.().catch(() => undefined),
				],
			],
		],
		[
			"View",
			[
				["grid", "Grid", ["G"], () => page.open("grid")],
				["photo", "One photo", ["E", "Enter"], () => page.open("photo")],
				["compare", "Compare two to nine", ["C"], () => page.open("compare")],
				["survey", "Survey of the burst", ["N"], () => page.open("survey")],
				["filter", "Filter", ["/"], enterFilter],
				["help", "All keys", ["?"], () => page.help()],
			],
		],
		[
			"Select",
			[
				["select-right", "Select with the next photo", ["Shift+Right"], select(1, 0)],
				["select-left", "Select with the previous photo", ["Shift+Left"], select(-1, 0)],
				["select-down", "Select a row down", ["Shift+Down"], select(0, 1)],
				["select-up", "Select a row up", ["Shift+Up"], select(0, -1)],
				[
					"select-all",
					"Select all of this filter",
					["Control+A"],
					() => {
						review.select([...review.rows].map((row) => review.library.id[row]));
						tell(`${counted(review.selected.size, "photo")} selected.`);
					},
				],
				["clear", "Clear the selection; back to the grid", ["Esc"], () => page.back()],
			],
		],
	];
	return table.flatMap(([group, lines]) =>
		lines.map(([id, label, keys, run, held]) => ({ id, label, keys, group, run, held })),
	);
}

/** @param {string} what @param {string} value */
function said(what, value) {
	tell(`${what}: ${value}.`);
	byId("top").dispatchEvent(new Event("culld-draw"));
}
