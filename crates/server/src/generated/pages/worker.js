@META@
self.GLOBAL = {
  isWindow: function() { return false; },
  isWorker: function() { return true; },
@IS_SHADOW_REALM@};
importScripts("/resources/testharness.js");
@SCRIPT@
importScripts("@PATH@");
done();
