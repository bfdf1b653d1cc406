/** What is needed only once a file has come, loaded together then: so a run can start and end offline. */

export { downloadOf } from "./download.js";
export { drawAll, openQuestions, prepareQuestions } from "./questions.js";
export { copyOf, openSource } from "./reading/source.js";
export { chartsFile, rowsFile, showReport, summaryFile } from "./report.js";
