"""Django's settings; what a site may change comes from the environment (see `environment.py`)."""

import django_stubs_ext

from protozoo.config import environment

# Lets `ModelAdmin[Survey]` and the like be written, which Django itself does not.
django_stubs_ext.monkeypatch()

ROOT = environment.ROOT
STORAGE_FOLDER = environment.storage_folder()
SECRET_KEY = environment.secret_key(STORAGE_FOLDER)
DEBUG = environment.boolean("DEBUG", default=False)
HTTPS = environment.boolean("HTTPS", default=False)
ALLOWED_HOSTS = environment.hosts()
CSRF_TRUSTED_ORIGINS = environment.names("CSRF_TRUSTED_ORIGINS", default="")
DATABASES = {"default": environment.database(STORAGE_FOLDER)}
VALKEY_SOCKET = environment.valkey_socket(STORAGE_FOLDER)
REDIS_URL = environment.redis_url(f"unix://{VALKEY_SOCKET}")
LOG_LEVEL = environment.log_level()

ROOT_URLCONF = "protozoo.config.urls"
WSGI_APPLICATION = "protozoo.config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "protozoo.config",
    "protozoo.pipeline",
    "protozoo.catalog",
    "protozoo.consensus",
    "protozoo.voting",
    "protozoo.sorting",
    "protozoo.subjects",
    "protozoo.surveys",
    "protozoo.sky",
    "protozoo.jobs",
    "protozoo.accounts",
    "allauth",
    "allauth.account",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "protozoo.config.languages.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "frontend" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# Accounts -----------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
ACCOUNT_ADAPTER = "protozoo.pipeline.sign_in.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGOUT_REDIRECT_URL = "home"
vars().update(environment.mail())  # EMAIL_BACKEND, EMAIL_HOST and so on
# A volunteer without an account is known by this cookie for half a year.
VOLUNTEER_COOKIE_NAME = "volunteer"
VOLUNTEER_COOKIE_AGE = 60 * 60 * 24 * 183

# Pages --------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
# Each by its own name; a new one needs its catalogue in LOCALE_PATHS and in frontend/src/locale.
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [ROOT / "frontend" / "locale"]
FORMAT_MODULE_PATH = "protozoo.config.formats"
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_AGE = 60 * 60 * 24 * 365
LANGUAGE_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = HTTPS
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
STATIC_URL = "/static/"
FRONTEND_DIST = ROOT / "frontend" / "dist"
STATICFILES_DIRS = [path for path in (FRONTEND_DIST, ROOT / "frontend" / "static") if path.is_dir()]
# Vite has put a hash into every name, so files are served as they are and cached for long.
WHITENOISE_USE_FINDERS = True
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/assets/.+-[\w-]{8,}\.(?:js|css)$"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    },
    # Swagger's page brings an inline script and inline styles; Django's admin keeps to the policy.
    "EXCLUDE_URL_PREFIXES": ["/api/docs"],
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 60 * 60 * 24 * 365 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000

# Counts of the limits below, in the memory of each server process.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    }
}

# Votes --------------------------------------------------------------------------------------
# Dotted paths of functions that are called with each new vote, in its transaction.
VOTE_OBSERVERS = [
    "protozoo.consensus.online.vote_believe",
    "protozoo.consensus.refits.refit_when_due",
]

NEW_VOLUNTEERS_PER_HOUR = environment.new_volunteers_per_hour()
VOTES_PER_MINUTE = environment.votes_per_minute()

# API ----------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.DjangoModelPermissionsOrAnonReadOnly"
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "protozoo.config.api.Pages",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "protozoo.config.api.error_response",
    "NUM_PROXIES": environment.proxies(),
    "PAGE_SIZE": 100,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "ProtoZoo",
    "DESCRIPTION": "Surveys, sortings, campaigns, votes and morphology catalogs.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "CampaignState": "protozoo.voting.models.Campaign.State",
        "ItemKind": "protozoo.voting.api.SHOWN_KINDS",
        "TreeKind": "protozoo.voting.api.TREE_KINDS",
        "GridVerdict": "protozoo.voting.models.Vote.Verdict",
        "JobState": "protozoo.jobs.models.Job.State",
        "MarkShape": "protozoo.voting.trees.SHAPES",
        "SortingState": "protozoo.sorting.models.Sorting.State",
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {"protozoo": {"handlers": ["console"], "level": LOG_LEVEL}},
}
