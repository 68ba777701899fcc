@META@
self.GLOBAL = {
  isWindow: function() { return false; },
  isWorker: function() { return true; },
@IS_SHADOW_REALM@};
import "/resources/testharness.js";
@SCRIPT@
import "@PATH@";
done();
