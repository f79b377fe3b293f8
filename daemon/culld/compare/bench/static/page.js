// The picker of pairs and models, the slider between both photos, and the order of the tables.

const data = JSON.parse(document.querySelector("#data").textContent);
const [pair, model, heat, truth, slider] = ["pair", "model", "heat", "truth", "slider"].map((id) => document.getElementById(id));
const pictures = Object.fromEntries(["first", "second", "map", "outline"].map((id) => [id, document.getElementById(id)]));

/** Show the chosen pair under the map of the chosen model. */
function show() {
  const chosen = data.pairs[Number(pair.value)];
  if (!chosen) return;
  const found = chosen.models[model.value];
  pictures.first.src = chosen.first;
  pictures.first.alt = `First photo of the pair: ${chosen.name}`;
  pictures.second.src = chosen.second;
  pictures.second.alt = `Second photo of the pair: ${chosen.name}`;
  pictures.outline.src = chosen.outline;
  pictures.outline.alt = "Outline of the true change";
  pictures.outline.hidden = !truth.checked;
  pictures.map.hidden = !heat.checked || !found;
  document.querySelector("#viewer").classList.toggle("heat", !pictures.map.hidden);
  if (found) {
    pictures.map.src = found.map;
    pictures.map.alt = `Heat map of ${data.models[model.value]}`;
  }
  document.querySelector("#caption").textContent = found ? found.caption : "";
  document.querySelector("#changed").textContent = chosen.changed;
  document.querySelector("#worth").replaceChildren(...chosen.models.map(worth));
}

/** Return the row of a model in the table about the chosen pair. */
function worth({ cells }, number) {
  const row = document.createElement("tr");
  const name = document.createElement("th");
  name.scope = "row";
  name.textContent = data.models[number];
  row.append(name);
  for (const text of cells) row.insertCell().textContent = text;
  if (number === Number(model.value)) row.setAttribute("aria-current", "true");
  return row;
}

/** Move the border between both photos. */
function cut() {
  document.querySelector("#viewer").style.setProperty("--cut", `${slider.value}%`);
  slider.setAttribute("aria-valuetext", `first photo on the left ${slider.value} % of the width`);
}

/** Sort the table of a button by its column: numbers from the largest down, words from A on; then the other way. */
function sort(button) {
  const head = button.closest("th");
  const body = head.closest("table").tBodies[0];
  const words = head.dataset.words !== undefined;
  const other = { ascending: "descending", descending: "ascending" };
  const order = other[head.getAttribute("aria-sort")] ?? (words ? "ascending" : "descending");
  const sign = order === "ascending" ? 1 : -1;
  const rows = [...body.rows].sort((one, two) => {
    const [a, b] = [one, two].map((row) => row.cells[head.cellIndex].dataset.value);
    if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
    return sign * (words ? a.localeCompare(b) : a - b);
  });
  for (const each of head.parentElement.cells) each.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", order);
  body.append(...rows);
}

for (const each of [pair, model, heat, truth]) each.addEventListener("change", show);
slider.addEventListener("input", cut);
for (const button of document.querySelectorAll("thead button")) button.addEventListener("click", () => sort(button));
show();
cut();
