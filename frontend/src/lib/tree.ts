/** The question tree of a campaign, and where a volunteer stands in it. */

export interface Answer {
  key: string;
  label: string;
  help?: string;
  means?: "class" | "mixed" | "unknown" | null;
  next?: string | null;
  kinds?: string[];
}

export interface Question {
  text: string;
  help?: string;
  answers: Answer[];
}

export interface Tree {
  root: string;
  questions: Record<string, Question>;
}

/** The question that follows the answers of `path`, with only the answers that fit the kind of item. */
export function questionAt(tree: Tree, path: readonly string[], kind: string): Question {
  let key = tree.root;
  for (const chosen of path) {
    const next = questionOf(tree, key).answers.find((answer) => answer.key === chosen)?.next;
    if (!next) throw new RangeError(`the answer ${chosen} to ${key} leads to no further question`);
    key = next;
  }
  const question = questionOf(tree, key);
  const answers = question.answers.filter((answer) => !answer.kinds || answer.kinds.includes(kind));
  return { ...question, answers };
}

/** Every answer of the tree that ends it: the words a volunteer can choose. */
export function leaves(tree: Tree): Answer[] {
  return Object.values(tree.questions).flatMap((question) =>
    question.answers.filter((answer) => !answer.next),
  );
}

function questionOf(tree: Tree, key: string): Question {
  const question = tree.questions[key];
  if (!question) throw new RangeError(`the tree has no question ${key}`);
  return question;
}
