"use strict";

function show(panels) {
  const wanted = document.querySelectorAll(`[data-switch="${panels}"] button[aria-pressed="true"]`);
  for (const panel of document.querySelectorAll(`[data-panel="${panels}"]`))
    panel.hidden = [...wanted].some(({ name, value }) => value !== "all" && panel.dataset[name] !== value);
}

function press(button) {
  for (const each of button.parentElement.children) each.setAttribute("aria-pressed", String(each === button));
  show(button.parentElement.dataset.switch);
}

for (const button of document.querySelectorAll("[data-switch] button"))
  button.addEventListener("click", () => press(button));

for (const button of document.querySelectorAll(".enlarge"))
  button.addEventListener("click", () => {
    const isLarge = button.closest("figure").classList.toggle("large");
    button.textContent = isLarge ? "reduce" : "enlarge";
  });

// The table: its rows come as data, of which a page holds thousands more easily than cells. The last part of a row is a
// mapping from the id of a class to its scores.
const FEW = 20, DIGITS = { count: 0, seconds: 2, score: 4 };
const section = document.querySelector(".sortable").closest("section");
const data = JSON.parse(section.querySelector('script[type="application/json"]').textContent);
const { classes, rows, pictured, columns: ofWhole, class_scores: ofClass } = data;
const OF_CLASSES = ofWhole.length;
const columns = [
  ...ofWhole.map((each) => ({ ...each, class: null })),
  ...classes.flatMap((name) => ofClass.map((title) => ({ title: `${title} ${name}`, kind: "score", class: name }))),
];
const selects = Object.fromEntries([...section.querySelectorAll("select")].map((each) => [each.name, each]));
const more = section.querySelector(".more");
const pictureOf = new Map(pictured.map((name, index) => [name, `picture-${index}`]));
const order = new Intl.Collator(undefined, { numeric: true }).compare;
const state = { sortedBy: data.sorted_by, isDescending: false, isWhole: false };

// A row has scores only of the classes that occur in it.
function valueOf(row, index) {
  const place = index - OF_CLASSES;
  if (place < 0) return row[index];
  return row[OF_CLASSES][Math.floor(place / ofClass.length)]?.[place % ofClass.length] ?? null;
}

function isOf(row, name) {
  const wanted = selects[name]?.value;
  return !wanted || row[ofWhole.findIndex((each) => each.title === name)] === wanted;
}

function chosenColumns() {
  const name = selects.class.value;
  const isFirst = (index) => (index - OF_CLASSES) % ofClass.length === 0;
  const isShown = (column, index) =>
    column.class === null || (name ? column.class === name : isFirst(index) && classes.length <= FEW);
  return [...columns.keys()].filter((index) => isShown(columns[index], index));
}

function compareRows(one, other) {
  const [first, second] = [valueOf(one, state.sortedBy), valueOf(other, state.sortedBy)];
  if (first === null || second === null) return (first === null) - (second === null); // undefined comes last, always
  const difference = typeof first === "number" ? first - second : order(first, second);
  return state.isDescending ? -difference : difference;
}

function firstOfClass() {
  const id = classes.indexOf(selects.class.value);
  return id < 0 ? null : OF_CLASSES + ofClass.length * id;
}

function chosenRows() {
  const score = firstOfClass();
  const isChosen = (row) =>
    isOf(row, "split") && isOf(row, "drive") && (score === null || valueOf(row, score) !== null);
  return rows.filter(isChosen).sort(compareRows);
}

function isText(index) {
  return ["text", "name"].includes(columns[index].kind);
}

function cell(row, index) {
  const element = document.createElement("td");
  const value = valueOf(row, index);
  const { kind } = columns[index];
  if (kind === "name" && pictureOf.has(value)) {
    const link = element.appendChild(document.createElement("a"));
    const id = pictureOf.get(value);
    link.href = `#${id}`;
    link.textContent = value;
    const { split } = document.getElementById(id).dataset;
    const choose = split && document.querySelector(`[data-switch="gallery"] button[value="${CSS.escape(split)}"]`);
    if (choose) link.addEventListener("click", () => press(choose));
  } else if (value === null) element.textContent = "\u2013";
  else if (isText(index)) element.textContent = value;
  else element.textContent = kind === "count" ? value.toLocaleString("en") : value.toFixed(DIGITS[kind]);
  element.classList.toggle("text", isText(index));
  return element;
}

function heading(index) {
  const element = document.createElement("th");
  const button = element.appendChild(document.createElement("button"));
  button.type = "button";
  button.textContent = columns[index].title;
  element.scope = "col";
  element.classList.toggle("text", isText(index));
  if (index === state.sortedBy) element.ariaSort = state.isDescending ? "descending" : "ascending";
  button.addEventListener("click", () => {
    state.isDescending = state.sortedBy === index && !state.isDescending;
    state.sortedBy = index;
    fillTable();
  });
  return element;
}

function fillTable() {
  const shownColumns = chosenColumns();
  const found = chosenRows();
  const shown = state.isWhole ? found : found.slice(0, FEW);
  const head = document.createElement("tr");
  head.append(...shownColumns.map(heading));
  section.querySelector("thead").replaceChildren(head);
  const bodyRows = shown.map((row) => {
    const element = document.createElement("tr");
    element.append(...shownColumns.map((index) => cell(row, index)));
    return element;
  });
  section.querySelector("tbody").replaceChildren(...bodyRows);
  section.querySelector(".shown").textContent = `${shown.length} of ${found.length} ${data.things}`;
  more.hidden = found.length <= FEW;
  more.textContent = state.isWhole ? `show ${FEW}` : "show all";
}

function listDrives() {
  const place = ofWhole.findIndex((each) => each.title === "drive");
  const found = rows.filter((row) => isOf(row, "split")).map((row) => row[place]);
  const drives = [...new Set(found)].filter(Boolean).sort(order);
  selects.drive.replaceChildren(new Option("all", ""), ...drives.map((drive) => new Option(drive, drive)));
}

selects.split?.addEventListener("change", () => {
  listDrives();
  fillTable();
});
selects.drive.addEventListener("change", fillTable);
selects.class.addEventListener("change", () => {
  const score = firstOfClass();
  Object.assign(state, { sortedBy: score ?? data.sorted_by, isDescending: score !== null && data.most_first });
  fillTable();
});
more.addEventListener("click", () => {
  state.isWhole = !state.isWhole;
  fillTable();
});
selects.class.append(...classes.map((name) => new Option(name, name)));
listDrives();
fillTable();
