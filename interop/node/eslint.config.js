import js from "@eslint/js";
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: ["dist/", "build/", "node_modules/", "eslint.config.js"] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { project: "./tsconfig.json", tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "@typescript-eslint/consistent-type-imports": "error",
      // It does not know that what was looked at before an await may have changed after it.
      "@typescript-eslint/no-unnecessary-condition": "off",
      // Where the line before has made sure; the alternative is a cast, which says less.
      "@typescript-eslint/no-non-null-assertion": "off",
      "no-restricted-syntax": ["error", { selector: "ExportDefaultDeclaration", message: "Name what is exported." }],
    },
  },
  {
    files: ["test/**"],
    // node:test's describe and test return promises that the runner awaits.
    rules: { "@typescript-eslint/no-floating-promises": "off" },
  },
);
