
"use strict";
@SCRIPT@
