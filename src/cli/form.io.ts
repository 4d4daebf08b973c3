/**
 * Asks the questions of a form, one after the other; the object with the answers is the result, and nothing is changed
 * anywhere. Effects: the dialogue.
 */
import { isMapping, type Json, type Mapping, valueAt } from '../config/document.ts';
import { type Dialogue, Interrupted } from './dialogue.io.ts';
import { type Asking, asking, type Field, fieldPath, type Place, withValue } from './form.ts';
import { secret, type Understood } from './question.ts';

/** Fields may depend on the answers before them. */
export async function fillIn(
  dialogue: Dialogue,
  fields: readonly Field[],
  given: Mapping,
  place: Place,
): Promise<Mapping> {
  let object = given;
  for (const field of fields) {
    if (field.when?.(object) === false) continue;
    const form = asking(field, object, place);
    if (form === undefined) continue;
    const value = await answerTo(dialogue, form, valueAt(object, fieldPath(field)));
    const changed = changedBy(object, field, form, value);
    const remark = field.remark?.(value);
    if (remark !== undefined) dialogue.write(`${remark}\n`);
    dialogue.write('\n');
    object = changed;
  }
  return object;
}

function changedBy(object: Mapping, field: Field, form: Asking, value: Json | undefined): Mapping {
  if (form.how === 'nothing') return object;
  const changed = withValue(object, fieldPath(field), value);
  return isMapping(changed) ? changed : object;
}

async function answerTo(dialogue: Dialogue, form: Asking, current: Json | undefined): Promise<Json | undefined> {
  switch (form.how) {
    case 'question':
      return await dialogue.ask(form.question);
    case 'secret':
      return await dialogue.ask({ ...secret(form.text), understand: form.understand });
    case 'lines':
      return await untilUnderstood(dialogue, form.text, form.understand);
    case 'nothing':
      dialogue.write(`${form.why}\n`);
      if (form.needed) throw new Interrupted();
      return current;
  }
}

async function untilUnderstood(
  dialogue: Dialogue,
  text: string,
  understand: (text: string) => Understood<Json | undefined>,
): Promise<Json | undefined> {
  for (;;) {
    const understood = understand(await dialogue.lines(text));
    if (understood.ok) return understood.value;
    dialogue.write(`${understood.why}\n\n`);
  }
}
