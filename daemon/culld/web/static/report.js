/** @file The report page: how often rejects were wrong, and whether probabilities keep their promise. */

import { get } from "./api.js";
import { fill, h, svg } from "./dom.js";
import { columns, line } from "./tables.js";
import { counted, DEFECT_WORDS, number, percent } from "./words.js";

/** @typedef {{name: string, rejected: number, answers: number, false: number, low: number, high: number}} Rate */
/** @typedef {{from: number, to: number, promised: number, answers: number, right: number, low: number, high: number}} Class */
/** A point of a plot with its interval, all 0..1. @typedef {{x: number, y: number, low: number, high: number, text: string}} Point */

const W = 440;
const H = 240;
const LEFT = 44;
const LOW = 26;
const TOP = 10;

/** The page of the report. */
export class ReportPage extends HTMLElement {
	connectedCallback() {
		fill(this, h("h1", null, "Report"), h("p", { class: "quiet" }, "…"));
		void get("report").then(
			(report) => this.show(report),
			(error) => fill(this, h("h1", null, "Report"), h("p", { role: "alert" }, error.message)),
		);
	}

	/** @param {any} report */
	show({ rates = {}, calibration = {}, counts = {} }) {
		const all = /** @type {Rate[]} */ (rates.defect ?? []);
		const [answers, wrong] = [sum(all, "answers"), sum(all, "false")];
		const total = Object.values(counts).reduce((a, b) => a + /** @type {number} */ (b), 0);
		const lead = answers
			? `${counted(wrong, "reject")} of ${counted(answers, "answered one")} ${wrong === 1 ? "was" : "were"} wrong. Intervals hold with 95 % (Wilson).`
			: "No reject has an answer yet. Answer some photos, and this page shows how often culld is wrong.";
		const months = /** @type {Rate[]} */ (rates.month ?? []);
		fill(
			this,
			h("h1", null, "Report"),
			h(
				"p",
				{ class: "lead" },
				`${counted(total, "photo")} judged: ${number(counts.quarantine)} rejected, ${number(counts.tag)} tagged, ${number(counts.keep)} kept. ${lead}`,
			),
			h(
				"div",
				{ class: "plots" },
				section(
					"Wrong rejects by defect",
					all.map((rate) => ({ ...rate, name: DEFECT_WORDS[/** @type {"blur"} */ (rate.name)] ?? rate.name })),
				),
				h("div", null, overTime(months), details("The months as a table", section("Wrong rejects by month", months))),
			),
			h(
				"section",
				null,
				h("h2", null, "Does a probability keep its promise?"),
				h(
					"p",
					{ class: "quiet" },
					"A photo that scores 0.97 should be right 97 times of 100. Points on the dashed line do; below it, culld is too sure.",
				),
				h(
					"div",
					{ class: "plots" },
					...Object.entries(calibration)
						.filter(([, classes]) => classes.length)
						.map(([defect, classes]) => promises(defect, classes)),
				),
			),
			h("section", { class: "plots" }, section("By camera", rates.camera ?? []), section("By rule", rates.rule ?? [])),
		);
	}
}

/** @param {Rate[]} rates @param {"answers" | "false"} name */
function sum(rates, name) {
	return rates.reduce((total, rate) => total + rate[name], 0);
}

/** @param {string} title @param {Node} content */
function details(title, content) {
	return h("details", null, h("summary", null, title), content);
}

/** @param {string} title @param {Rate[]} rates */
function section(title, rates) {
	const lines = rates.map(({ name, rejected, answers, false: wrong, low, high }) =>
		line(
			name,
			number(rejected),
			number(answers),
			number(wrong),
			answers ? percent(wrong / answers) : "–",
			answers ? `${percent(low)} to ${percent(high)}` : "not known",
		),
	);
	return h(
		"div",
		{ class: "wide", tabindex: 0, role: "region", "aria-label": title },
		h(
			"table",
			{ class: "plain" },
			h("caption", null, title),
			columns("Group", "rejected", "answered", "wrong", "rate", "95 % interval"),
			...lines,
			lines.length ? null : h("tr", null, h("td", { colspan: 6 }, "none")),
		),
	);
}

/** @param {Rate[]} months */
function overTime(months) {
	const known = months.filter(({ answers }) => answers);
	const points = known.map(({ name, answers, false: wrong, low, high }, at) => ({
		name,
		x: (at + 0.5) / known.length,
		y: wrong / answers,
		low,
		high,
		text: `${name}: ${percent(wrong / answers)}`,
	}));
	const names = points
		.filter((_, at) => at % Math.ceil(known.length / 6) === 0)
		.map(({ x, name: text }) => ({ x, text }));
	return known.length ? plot("Wrong rejects by month", points, names, false) : null;
}

/** @param {string} defect @param {Class[]} classes */
function promises(defect, classes) {
	const title = DEFECT_WORDS[/** @type {"blur"} */ (defect)] ?? defect;
	const points = classes.map(({ promised, answers, right, low, high }) => ({
		x: promised,
		y: right / answers,
		low,
		high,
		text: `promised ${percent(promised)}, right ${percent(right / answers)}`,
	}));
	const table = h(
		"table",
		{ class: "plain" },
		columns("scores", "promised", "right", "95 % interval", "answers"),
		...classes.map((each) =>
			line(
				`${each.from} to ${each.to}`,
				percent(each.promised),
				percent(each.right / each.answers),
				`${percent(each.low)} to ${percent(each.high)}`,
				each.answers,
			),
		),
	);
	return h(
		"div",
		null,
		plot(
			title,
			points,
			[0, 0.25, 0.5, 0.75, 1].map((x) => ({ x, text: percent(x) })),
			true,
		),
		details(`${title} as a table`, table),
	);
}

/** @param {string} title @param {Point[]} points @param {{x: number, text: string}[]} names below @param {boolean} promise whether the promised line is drawn */
function plot(title, points, names, promise) {
	const most = promise ? 1 : Math.min(1, Math.max(0.1, ...points.map(({ high }) => high)));
	const px = (/** @type {number} */ x) => LEFT + x * (W - LEFT - 10);
	const py = (/** @type {number} */ y) => H - LOW - (y / most) * (H - LOW - TOP);
	const word = (
		/** @type {number} */ x,
		/** @type {number} */ y,
		/** @type {string} */ anchor,
		/** @type {string} */ said,
	) => {
		const made = svg("text", { x, y, "text-anchor": anchor });
		made.textContent = said;
		return made;
	};
	const levels = [0, 0.5, 1].map((part) => part * most);
	const drawn = svg("svg", {
		class: "plot",
		viewBox: `0 0 ${W} ${H}`,
		role: "img",
		"aria-label": `${title}: ${points.map(({ text }) => text).join("; ")}`,
	});
	drawn.append(
		...levels.flatMap((level) => [
			svg("path", { class: "axis", d: `M${px(0)} ${py(level)}H${px(1)}` }),
			word(LEFT - 6, py(level) + 4, "end", percent(level)),
		]),
		...names.map(({ x, text }) => word(px(x), H - 8, x > 0.95 && promise ? "end" : "middle", text)),
		...(promise ? [svg("path", { class: "promise", d: `M${px(0)} ${py(0)}L${px(1)} ${py(1)}` })] : []),
		...points.flatMap(({ x, y, low, high }) => [
			svg("path", { class: "whisker", d: `M${px(x)} ${py(low)}V${py(Math.min(high, most))}` }),
			svg("circle", { class: "point", cx: px(x), cy: py(y), r: 4 }),
		]),
	);
	return h("figure", null, h("figcaption", null, title), drawn);
}

customElements.define("culld-report", ReportPage);
