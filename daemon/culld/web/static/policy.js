/** @file The policy page: other thresholds tried on the stored scores. It never writes the configuration. */

import { address, post } from "./api.js";
import { byId, fill, h, tell } from "./dom.js";
import { distance } from "./filters.js";
import { columns, line } from "./tables.js";
import { letter } from "./why.js";
import { counted, DEFECTS, DEFECT_WORDS, number, percent, VERDICTS } from "./words.js";

/** @typedef {import("./review.js").Review} Review */
/** @typedef {import("./words.js").Defect} Defect */
/** @typedef {Record<string, {tag: number, reject: number | null}>} Thresholds */

const STRIP = 60;
/** Sliders move by equal steps of log(1 - p), since thresholds crowd below 1. */
const STEPS = 400;
const LEAST = 0.0005;

/** @param {number} p */
function toSlider(p) {
	return Math.round((STEPS * Math.log(1 - Math.min(p, 1 - LEAST))) / Math.log(LEAST));
}

/** @param {number} at */
function fromSlider(at) {
	return Number((1 - Math.exp((at / STEPS) * Math.log(LEAST))).toFixed(at > STEPS * 0.6 ? 4 : 3));
}

/** The page of the policy. */
export class PolicyPage extends HTMLElement {
	/** @type {Review} */
	review = /** @type {any} */ (null);
	/** @type {Thresholds} */
	wanted = {};
	numbers = h("div", { class: "numbers", "aria-live": "polite" });
	lines = h("div", { class: "sliders" });
	moved = h("div", null);
	yaml = h("textarea", { readonly: true, rows: 10, "aria-label": "The policy as YAML", spellcheck: "false" });
	busy = false;
	again = false;

	connectedCallback() {
		const { thresholds } = this.review;
		this.now = structuredClone(
			thresholds ?? Object.fromEntries(DEFECTS.map((defect) => [defect, { tag: 0.6, reject: null }])),
		);
		this.wanted = structuredClone(this.now);
		fill(
			this,
			h("h1", null, "Policy"),
			h(
				"p",
				{ class: "lead" },
				"Try other thresholds on the scores that culld has stored. Nothing changes: copy the YAML into your configuration when you like the numbers.",
			),
			h(
				"div",
				{ class: "two" },
				h(
					"section",
					{ "aria-label": "Thresholds" },
					this.lines,
					h("p", null, h("button", { click: () => this.reset() }, "As in force")),
				),
				h("section", { "aria-label": "What would change" }, this.numbers),
			),
			h("section", null, h("h2", null, "Photos that change sides, the closest to a threshold first"), this.moved),
			h(
				"section",
				null,
				h("h2", null, "YAML"),
				this.yaml,
				h("p", null, h("button", { class: "main", click: () => this.copy() }, "Copy YAML")),
			),
		);
		this.draw();
		void this.ask();
	}

	reset() {
		this.wanted = structuredClone(/** @type {Thresholds} */ (this.now));
		this.draw();
		void this.ask();
	}

	async copy() {
		const text = this.yaml.value;
		try {
			await navigator.clipboard.writeText(text);
			tell("The YAML is copied.");
		} catch {
			this.yaml.select();
			tell("The YAML is selected: press Control+C.");
		}
	}

	draw() {
		fill(
			this.lines,
			...DEFECTS.filter((defect) => this.wanted[defect]).map((defect) =>
				h(
					"fieldset",
					null,
					h("legend", null, letter(defect), ` ${DEFECT_WORDS[defect]}`),
					this.slider(defect, "tag"),
					this.slider(defect, "reject"),
				),
			),
		);
	}

	/** @param {Defect} defect @param {"tag" | "reject"} name */
	slider(defect, name) {
		const value = this.wanted[defect][name];
		const id = `${defect}-${name}`;
		const shown = h("output", { for: id, class: "number" }, text(value));
		const range = h("input", {
			type: "range",
			id,
			min: 1,
			max: STEPS,
			value: toSlider(value ?? 0.99),
			disabled: value === null,
			"aria-valuetext": text(value),
			input: () => put(fromSlider(Number(range.value))),
		});
		const put = (/** @type {number | null} */ to) => {
			const pair = this.wanted[defect];
			pair[name] = /** @type {number} */ (to);
			if (pair.reject !== null && pair.tag > pair.reject) {
				if (name === "tag") pair.reject = pair.tag;
				else pair.tag = pair.reject;
				const focus = document.activeElement?.id ?? "";
				this.draw();
				document.getElementById(focus)?.focus();
				return void this.ask();
			}
			shown.textContent = text(to);
			range.disabled = to === null;
			range.setAttribute("aria-valuetext", text(to));
			void this.ask();
		};
		const change = (/** @type {any} */ event) => put(event.target.checked ? null : fromSlider(Number(range.value)));
		const box = h("input", { type: "checkbox", checked: value === null, change });
		const never = name === "reject" && h("label", { class: "switch" }, box, " never");
		return h(
			"div",
			{ class: "slider" },
			h("label", { for: id }, name === "tag" ? "tag from" : "reject from"),
			range,
			shown,
			never,
		);
	}

	/** Ask for the numbers; while an answer is on its way the next question waits, and only the last one is asked. */
	async ask() {
		this.again = true;
		if (this.busy) return;
		this.busy = true;
		while (this.again && this.isConnected) {
			this.again = false;
			try {
				this.tell(await post("simulate", { defects: this.wanted, ids: true }));
			} catch (error) {
				fill(this.numbers, h("p", { role: "alert" }, /** @type {Error} */ (error).message));
			}
		}
		this.busy = false;
	}

	/** @param {any} answer */
	tell(answer) {
		const row = (/** @type {string} */ name) => {
			const [now, then] = [answer.now?.[name] ?? 0, answer.then?.[name] ?? 0];
			const change = then === now ? "" : `${then > now ? "+" : "−"}${number(Math.abs(then - now))}`;
			return now || then ? line(name, number(now), number(then), change) : null;
		};
		const rates = Object.entries(answer.false_rejects ?? {}).filter(([, rate]) => rate.answers);
		fill(
			this.numbers,
			h(
				"p",
				{ class: "big" },
				h("strong", null, counted(answer.would_move, "photo")),
				" would move, ",
				h("strong", null, counted(answer.would_come_back, "photo")),
				" would come back, ",
				`${answer.would_tag} more tagged, ${answer.would_untag} fewer.${answer.exact === false ? " Of so many, only the nearest are counted exactly." : ""}`,
			),
			h(
				"table",
				{ class: "plain changes" },
				h("caption", null, "Photos by verdict"),
				columns("Verdict", "now", "then", "change"),
				...VERDICTS.map(row),
			),
			rates.length
				? h(
						"table",
						{ class: "plain" },
						h("caption", null, "Wrong rejects at these thresholds, by your answers"),
						columns("Defect", "rate", "95 % interval", "answers"),
						...rates.map(([defect, rate]) =>
							line(
								DEFECT_WORDS[/** @type {Defect} */ (defect)] ?? defect,
								percent(rate.false / rate.answers),
								`${percent(rate.low)} to ${percent(rate.high)}`,
								`${rate.false} of ${rate.answers}`,
							),
						),
					)
				: h(
						"p",
						{ class: "quiet" },
						"No answer yet on rejects at these thresholds, so the rate of wrong ones is not known. Answers to the photos below are worth the most.",
					),
		);
		this.yaml.value = answer.yaml ?? "";
		void this.strips(answer.ids ?? {});
	}

	/** @param {{move?: number[], come_back?: number[]}} ids */
	async strips({ move = [], come_back: back = [] }) {
		const { review } = this;
		const far = (/** @type {number} */ id) => {
			const row = review.library.row(id);
			return { id, far: row < 0 ? 99 : distance(review.library, row, this.wanted) };
		};
		const near = (/** @type {number[]} */ list) => {
			const sorted = list.map(far).sort((a, b) => a.far - b.far);
			return sorted.slice(0, STRIP).map(({ id }) => id);
		};
		const sides = /** @type {const} */ ([
			["would move", near(move)],
			["would come back", near(back)],
		]);
		const all = [...move, ...back];
		await review.known.want(sides.flatMap(([, list]) => list)).catch(() => undefined);
		const figure = (/** @type {number} */ id) => {
			const info = review.info(id);
			return h(
				"li",
				null,
				h(
					"button",
					{
						class: "frame",
						title: info?.reason,
						click: () => dispatchEvent(new CustomEvent("culld-open", { detail: id })),
					},
					info && h("img", { src: address(info, "thumb"), alt: `${info.name}: ${info.reason}`, loading: "lazy" }),
					h("span", { class: "name" }, info?.name ?? String(id)),
				),
			);
		};
		const same = JSON.stringify(this.wanted) === JSON.stringify(this.now);
		const text = `Decide again about ${counted(all.length, "photo")} by the policy in force`;
		const apply = same && all.length > 0 && h("p", null, h("button", { click: () => this.apply(all) }, text));
		fill(
			this.moved,
			apply,
			...sides
				.filter(([, list]) => list.length)
				.flatMap(([title, list]) => [
					h("h3", null, `${title}: ${list.length === STRIP ? `the first ${STRIP}` : counted(list.length, "photo")}`),
					h("ul", { class: "strip", tabindex: 0, "aria-label": title }, ...list.map(figure)),
				]),
			all.length ? null : h("p", { class: "quiet" }, "None: every photo keeps its verdict."),
		);
	}

	/** @param {number[]} ids */
	apply(ids) {
		const { review } = this;
		const items = ids.map((decision) => ({ decision, state: review.state(decision) }));
		void review.answers.give("apply-policy", items, { policy: review.status?.policy });
		tell(`${counted(items.length, "photo")} are decided again.`);
		byId("main").focus();
	}
}

/** @param {number | null} value */
function text(value) {
	return value === null ? "never" : String(value);
}

customElements.define("culld-policy", PolicyPage);
