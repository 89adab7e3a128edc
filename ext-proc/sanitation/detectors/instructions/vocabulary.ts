// Words that texts which give orders to a model are made of, by what they do in a sentence, in English, German, French
// and Spanish. Written without accents and elisions, as the reader of words folds them.

/** Each is a bit, so that a word can be of several uses. */
export const WORD = {
  drop: 1 << 0,
  override: 1 << 1,
  not: 1 << 2,
  follow: 1 << 3,
  prior: 1 << 4,
  yours: 1 << 5,
  all: 1 << 6,
  orders: 1 << 7,
  rules: 1 << 8,
  told: 1 << 9,
  tell: 1 << 10,
  user: 1 << 11,
  know: 1 << 12,
  hide: 1 << 13,
  from: 1 << 14,
  this: 1 << 15,
  must: 1 << 16,
  call: 1 << 17,
  tool: 1 << 18,
  send: 1 << 19,
  talk: 1 << 20,
  history: 1 << 21,
  system: 1 << 22,
  reveal: 1 << 23,
  secrets: 1 << 24,
  modal: 1 << 25,
  inform: 1 << 26,
  let: 1 << 27,
  without: 1 << 28,
  everything: 1 << 29,
} as const;

type Use = keyof typeof WORD;

const WORDS: Readonly<Record<Use, string>> = {
  drop: 'ignore disregard forget ignorier ignoriere ignorieren vergiss vergesse missachte ignorez oublie oubliez ignora ignorad ignoren olvida olvide olvidad',
  override: 'override bypass overwrite ubergehe umgehe contourne contournez anula',
  not: 'don dont not never nicht kein keine keinesfalls niemals nie nichts pas rien jamais no nunca jamas nada',
  follow:
    'follow obey heed following obeying befolge befolgen folge beachte suis suivez obeis sigas sigue obedezcas',
  prior:
    'previous previously prior earlier preceding above foregoing original vorherigen vorherige bisherigen bisherige fruheren fruhere obigen obige vorigen vorangegangenen precedentes precedente anterieures anterieure anteriores anterior previas previos dessus',
  yours: 'your ihre ihren deine deinen dein tes vos votre tus tu',
  all: 'all any every samtliche gesamten ganzen kompletten jede alle toutes tous tout toute todas todos todo toda',
  orders:
    'instruction instructions prompt prompts directives directive guidelines guardrails anweisung anweisungen vorgaben instruktionen systemprompt consigne consignes instrucciones instruccion indicaciones ordenes directrices',
  rules: 'rules safety regeln sicherheitsregeln regles reglas',
  told: 'told instructed gesagt dit dicho',
  tell: 'tell telling mention mentioning sag sage erwahne verrate erzahle dis dites mentionne mentionnez digas diga menciones',
  user: 'user users human nutzer benutzer anwender nutzern benutzern nutzerin utilisateur utilisateurs usuario usuarios usuaria',
  know: 'know notice see find learn erfahren merken wissen bemerken savoir sepa saber entere',
  hide: 'hide conceal verbirg verheimliche verschweige cachez dissimule oculta esconde',
  from: 'from to vor gegenuber dem den an al del au aux',
  this: 'this these that it dies das dieses diese davon cela ceci ca esto eso ello',
  must: 'must immediately now secretly silently urgently musst mussen sofort heimlich jetzt dois devez immediatement maintenant debes debe inmediatamente ahora',
  call: 'call invoke rufe aufrufen appelle appelez appeler llama llame llamar invoca invoque',
  tool: 'tool tools werkzeug outil outils herramienta herramientas',
  send: 'send post forward upload email exfiltrate transmit leak sende schicke ubermittle leite envoie envoyez transmets transmettez envia envie manda reenvia',
  talk: 'conversation chat unterhaltung konversation conversacion discussion',
  history:
    'history transcript context contents log verlauf kontext inhalt historique contexte historial contexto contenido',
  system: 'system systeme sistema developer entwickler',
  reveal:
    'reveal print repeat output show disclose verrate zeige wiederhole revele revelez affiche affichez repete revela muestra repite imprime',
  secrets:
    'gesprachsverlauf chatverlauf password passwords credential credentials secret secrets token tokens key keys passworter zugangsdaten geheimnisse schlussel identifiants credenciales contrasenas claves mots',
  modal:
    'can could may might will would to cannot shall you we they it does did if kann konnen wir sie wenn peut peuvent on si puede pueden',
  inform:
    'inform informing notify notifying alert alerting informiere informieren informer informe informez prevenir informar informes avisar avises',
  let: 'let lass lassen laisse laissez dejes permitas',
  without: 'without ohne sans sin',
  everything: 'everything alles tout todo',
};

/** Every word with one of its uses, as a bit. */
export const VOCABULARY: readonly (readonly [word: string, uses: number])[] = Object.entries(WORDS).flatMap(
  ([use, words]) => words.split(' ').map((word) => [word, WORD[use as Use]] as const),
);
