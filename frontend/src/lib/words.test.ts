import { afterEach, expect, test } from "vitest";
import { speak, t, tn } from "./words";

afterEach(() => speak({}));

test("English is said as it is written", () => {
  expect(t("Undo")).toBe("Undo");
  expect(tn("{n} answer", "{n} answers", 1)).toBe("1 answer");
  expect(tn("{n} answer", "{n} answers", 0)).toBe("0 answers");
});

test("another language comes from its catalogue", () => {
  speak({ Undo: "Zurück", "{n} answer": ["{n} Antwort", "{n} Antworten"] });
  expect(t("Undo")).toBe("Zurück");
  expect(tn("{n} answer", "{n} answers", 1)).toBe("1 Antwort");
  expect(tn("{n} answer", "{n} answers", 7)).toBe("7 Antworten");
});

test("what the catalogue lacks is said in English", () => {
  speak({ Undo: "Zurück" });
  expect(t("Clear")).toBe("Clear");
});

test("values are filled in, and a missing one stays visible", () => {
  expect(t("{name} of {total}", { name: "3", total: 7 })).toBe("3 of 7");
  expect(t("{name}")).toBe("{name}");
});
